#include "torch/verify/samples.hpp"

#include <algorithm>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/random_inputs.hpp"

#include "torch/verify/widen.hpp"

namespace coppice::verifying {
namespace {

void set_shape(graph::World& world, const graph::Graph& graph, const std::string& name, const graph::Shape& shape) {
  const auto entry =
      std::find_if(world.inputs.begin(), world.inputs.end(), [&](const auto& input) { return input.first == name; });
  if (entry == world.inputs.end()) {
    std::string names;
    for (const auto& input : world.inputs) names += (names.empty() ? "" : ", ") + input.first;
    throw Error("no input is named \"" + name + "\"; the inputs are " + names);
  }
  const auto& declared = graph.values[at(graph.find(name))].shape;
  bool fits = !declared || declared->size() == shape.size();
  for (std::size_t k = 0; fits && k < shape.size(); ++k)
    fits = shape[k] >= 0 && (!declared || (*declared)[k].size < 0 || (*declared)[k].size == shape[k]);
  if (!fits)
    throw Error("shape for input \"" + name + "\": expected extents as declared, found " + tensor::to_string(shape));
  entry->second = shape;
}

std::vector<std::string> names(const graph::Graph& graph, const std::vector<graph::ValueId>& values) {
  std::vector<std::string> out;
  for (const graph::ValueId value : values)
    if (graph.values[at(value)].initializer < 0 || graph.values[at(value)].is_output)
      out.emplace_back(graph.name_of(value));
  return out;
}

void demand(const std::vector<std::string>& expected, const std::vector<std::string>& found, const char* what) {
  if (expected == found) return;
  const auto list = [](const std::vector<std::string>& all) {
    std::string out;
    for (const std::string& name : all) out += (out.empty() ? "\"" : ", \"") + name + "\"";
    return out;
  };
  throw Error(std::string("expected the ") + what + " " + list(expected) + ", found " + list(found));
}

}  // namespace

std::vector<Sample> draw_samples(const pruning::Prepared& prepared, const VerifyOptions& options) {
  const graph::Model& model = prepared.model;
  std::vector<Sample> out;
  const auto draw = [&](const graph::World& world, int count, bool optional) {
    for (int i = 0; i < count; ++i)
      out.push_back({random_inputs(model, world, (options.seed << 16) + out.size()), optional});
  };
  graph::World counting = prepared.worlds.counting;
  for (const auto& [name, shape] : options.shapes) set_shape(counting, model.graph, name, shape);
  draw(counting, options.samples, false);
  if (prepared.worlds.dynamic) draw(prepared.worlds.second, 1, true);
  return out;
}

Results run(graph::Model model, const graph::Graph& like, std::vector<Sample>& samples, at::Device device,
            bool may_drop) {
  const at::NoGradGuard no_grad;
  GraphModule module(has_half(model) ? widened(std::move(model)) : std::move(model));
  demand(names(like, like.inputs), module.input_names(), "inputs");
  demand(names(like, like.outputs), module.output_names(), "outputs");
  if (!device.is_cpu()) module.to(device);
  Results results;
  for (auto sample = samples.begin(); sample != samples.end();) {
    std::vector<at::Tensor> inputs;
    for (const at::Tensor& input : sample->inputs) inputs.push_back(input.to(device));
    try {
      std::vector<at::Tensor> outputs = module.run(std::move(inputs));
      for (at::Tensor& output : outputs) output = output.to(at::kCPU);
      results.push_back(std::move(outputs));
      ++sample;
    } catch (const Error&) {
      if (!may_drop || !sample->optional) throw;
      sample = samples.erase(sample);
    }
  }
  return results;
}

}  // namespace coppice::verifying
