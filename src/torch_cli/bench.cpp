#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>

#include <nlohmann/json.hpp>

#include "coppice/analysis/table.hpp"
#include "coppice/analysis/text.hpp"
#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/latency.hpp"
#include "coppice/torch/random_inputs.hpp"

#include "cli/app.hpp"
#include "cli/output.hpp"
#include "torch_cli/device.hpp"
#include "torch_cli/services.hpp"

namespace coppice::cli {
namespace {

struct Candidate {
  std::string file;
  std::unique_ptr<GraphModule> module;
  std::vector<at::Tensor> inputs;
  double macs = 0;
  Latency latency;
};

// A dynamic first dimension is the batch.
std::vector<std::pair<std::string, graph::Shape>> with_batch(const graph::Model& model,
                                                             const BenchArguments& arguments) {
  auto shapes = parse_shapes(arguments.common.shapes);
  if (arguments.batch == 0) return shapes;
  const graph::World usual = graph::choose_worlds(model, shapes).counting;
  for (const auto& input : usual.inputs) {
    const std::string& name = input.first;  // Clang 14 captures no structured bindings
    const graph::Shape& shape = input.second;
    const bool given =
        std::any_of(shapes.begin(), shapes.end(), [&](const auto& entry) { return entry.first == name; });
    if (given || shape.empty()) continue;
    const auto& declared = model.graph.values[static_cast<std::size_t>(model.graph.find(name))].shape;
    if (!declared || declared->empty()) continue;
    if (declared->front().size >= 0 && declared->front().size != arguments.batch)
      throw Error("--batch " + std::to_string(arguments.batch) + ": the batch of input \"" + name + "\" is fixed at " +
                  std::to_string(declared->front().size));
    graph::Shape extents = shape;
    extents.front() = arguments.batch;
    shapes.emplace_back(name, std::move(extents));
  }
  return shapes;
}

Candidate load(const std::string& file, const BenchArguments& arguments, at::Device device) {
  try {
    graph::Model model = formats::read_onnx(file);
    const pruning::Prepared prepared = pruning::prepare(model, {.shapes = with_batch(model, arguments)});
    Candidate out;
    out.file = file;
    out.macs = count(prepared).macs;
    out.inputs = random_inputs(model, prepared.worlds.counting, 0);
    for (at::Tensor& input : out.inputs) input = input.to(device);
    out.module = std::make_unique<GraphModule>(std::move(model));
    out.module->to(device);
    return out;
  } catch (const Error& error) {
    throw Error(file + ": " + error.what());
  }
}

std::string milliseconds(double seconds) {
  char out[32];
  std::snprintf(out, sizeof out, seconds < 0.1 ? "%.3f ms" : "%.1f ms", seconds * 1000);
  return out;
}

void print_text(const std::vector<Candidate>& candidates) {
  using analysis::Align;
  analysis::Table table({{"model", Align::left, true},
                         {"MACs", Align::right},
                         {"median", Align::right},
                         {"10 % below", Align::right},
                         {"90 % below", Align::right},
                         {"runs", Align::right}});
  for (const Candidate& c : candidates)
    table.row({c.file, analysis::short_count(c.macs), milliseconds(c.latency.median), milliseconds(c.latency.low),
               milliseconds(c.latency.high), std::to_string(c.latency.runs)});
  std::string text = table.text();
  if (candidates.size() == 2) {
    const double a = candidates[0].latency.median, b = candidates[1].latency.median;
    text += "\n" + (b <= a ? analysis::ratio(a, b) + " faster" : analysis::ratio(b, a) + " slower") + ", with MACs / " +
            analysis::ratio(candidates[0].macs, candidates[1].macs) + "\n";
  }
  print(text);
}

void print_numbers(const std::vector<Candidate>& candidates) {
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const Candidate& c : candidates)
    out.push_back({{"model", c.file},
                   {"macs", c.macs},
                   {"median_seconds", c.latency.median},
                   {"low_seconds", c.latency.low},
                   {"high_seconds", c.latency.high},
                   {"runs", c.latency.runs}});
  print_json(out);
}

}  // namespace

RunTime Services::run_time(const pruning::Prepared& prepared, const std::string& name, int threads) {
  const at::Device device = parse_device(name);
  use_threads(threads);
  GraphModule module(prepared.model);
  module.to(device);
  std::vector<at::Tensor> inputs = random_inputs(prepared.model, prepared.worlds.counting, 0);
  for (at::Tensor& input : inputs) input = input.to(device);
  const at::NoGradGuard no_gradients;
  const Latency found = measure_latency({[&] { wait_for(module.run(inputs)); }}, 1).front();
  return {found.median, found.low, found.high};
}

void Services::bench(const BenchArguments& arguments) {
  const at::Device device = parse_device(arguments.device);
  use_threads(arguments.common.threads);
  std::vector<Candidate> candidates;
  candidates.push_back(load(arguments.model, arguments, device));
  if (!arguments.other.empty()) candidates.push_back(load(arguments.other, arguments, device));
  const at::NoGradGuard no_gradients;
  std::vector<std::function<void()>> work;
  for (Candidate& candidate : candidates)
    work.emplace_back([&candidate] { wait_for(candidate.module->run(candidate.inputs)); });
  const std::vector<Latency> latencies = measure_latency(work, arguments.seconds);
  for (std::size_t i = 0; i < candidates.size(); ++i) candidates[i].latency = latencies[i];
  if (arguments.json)
    print_numbers(candidates);
  else
    print_text(candidates);
}

}  // namespace coppice::cli
