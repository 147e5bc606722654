#include "coppice/train/impact.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <utility>

#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/formats/packed.hpp"
#include "coppice/tensor/kernels.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/random_inputs.hpp"

#include "train/impact_methods.hpp"

namespace coppice {
namespace {

struct Candidate {
  std::size_t row = 0;
  std::shared_ptr<GraphModule> module;
  std::vector<at::Tensor> inputs;
};

ImpactBytes bytes_of(const graph::Model& model) {
  // Of the file alone, whatever the original's name and side files.
  const auto written = [&](formats::Encoding encoding) {
    return formats::onnx_bytes(model, "model.onnx",
                               {.external = formats::WriteOptions::External::none, .encoding = encoding});
  };
  return {.dense = written(formats::Encoding::dense),
          .sparse_initializer = written(formats::Encoding::sparse_initializer),
          .bitmask = formats::pack_model(model, "").bytes_after};
}

std::int64_t zeros_of(const pruning::Prepared& prepared) {
  std::int64_t out = 0;
  const graph::Graph& graph = prepared.model.graph;
  for (std::size_t v = 0; v < graph.values.size(); ++v) {
    const tensor::Tensor* const constant = graph.constant(static_cast<graph::ValueId>(v));
    if (constant && graph::is_parameter(prepared.roles[v]) && is_real(constant->dtype))
      out += tensor::count_zeros(*constant);
  }
  return out;
}

std::vector<at::Tensor> on(std::vector<at::Tensor> tensors, at::Device device) {
  for (at::Tensor& tensor : tensors) tensor = tensor.to(device);
  return tensors;
}

// Squared norms of the difference and of what was expected.
double relative_error(const std::vector<at::Tensor>& expected, const std::vector<at::Tensor>& found) {
  double difference = 0, whole = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!expected[i].is_floating_point()) continue;
    if (found[i].sizes() != expected[i].sizes()) return std::numeric_limits<double>::quiet_NaN();
    const at::Tensor a = expected[i].to(at::kDouble), b = found[i].to(at::kDouble);
    difference += (a - b).square().sum().item<double>();
    whole += a.square().sum().item<double>();
  }
  return difference == 0 ? 0 : std::sqrt(difference / whole);
}

std::optional<Batch> first_batch(const BatchSource& data) {
  std::optional<Batch> out;
  if (data)
    data.for_each([&](Batch batch) {
      out = std::move(batch);
      return false;
    });
  return out;
}

std::vector<ImpactMethod> checked(const graph::Model& model, const ImpactOptions& options, const Batch* sample) {
  std::vector<ImpactMethod> out;
  for (const std::string& text : options.methods.empty() ? usual_impact_methods(model) : options.methods) {
    ImpactMethod method = parse_impact_method(text);
    if (method.needs_data() && !sample) throw Error("method '" + text + "': it looks at data, and none are given");
    if (method.needs_labels() && (!sample->target.defined() || !options.calibration.loss))
      throw Error("method '" + text + "': it looks at gradients of a loss, which take data with labels");
    out.push_back(std::move(method));
  }
  return out;
}

class Measurement {
 public:
  Measurement(const graph::Model& model, const ImpactOptions& options) : model_(model), options_(options) {
    const std::optional<Batch> sample = first_batch(options.calibration.data);
    methods_ = checked(model, options, sample ? &*sample : nullptr);
    if (options.evaluation) out_.metric = options.metric.name;
    if (sample) {
      samples_ = on(sample->inputs, options.device);
    } else {
      const graph::World usual = graph::choose_worlds(model, options.shapes).counting;
      samples_ = on(random_inputs(model, usual, options.seed), options.device);
    }
  }

  Impact run() {
    if (options_.progress) options_.progress->begin("impact", methods_.size() + 1);
    add("original", [&] { return model_; });
    for (const ImpactMethod& method : methods_) {
      try {
        add(method.text, [&] { return impact::applied(model_, method, options_); });
      } catch (const Error& error) {
        out_.rows.push_back({.method = method.text, .reason = error.what()});
      }
      if (options_.progress) options_.progress->advance(out_.rows.size());
    }
    if (options_.progress) options_.progress->end();
    measure_times();
    return std::move(out_);
  }

 private:
  void add(const std::string& name, const std::function<graph::Model()>& make) {
    const graph::Model model = make();
    const pruning::Prepared prepared = pruning::prepare(model, {.shapes = options_.shapes});
    const pruning::Count size = pruning::count(prepared);
    ImpactRow row;
    row.method = name;
    row.parameters = size.parameters;
    row.zeros = zeros_of(prepared);
    row.macs = size.macs;
    row.bytes = bytes_of(model);
    Candidate candidate{.row = out_.rows.size(), .module = std::make_shared<GraphModule>(model), .inputs = {}};
    candidate.module->to(options_.device);
    candidate.inputs = on(random_inputs(model_, prepared.worlds.counting, options_.seed), options_.device);
    const at::NoGradGuard no_gradients;
    const std::vector<at::Tensor> outputs = candidate.module->run(samples_);
    if (candidates_.empty()) expected_ = outputs;
    row.error = relative_error(expected_, outputs);
    if (options_.evaluation)
      row.metric =
          evaluate(Callable(*candidate.module), options_.evaluation, {}, {options_.metric}).value(options_.metric.name);
    out_.rows.push_back(std::move(row));
    candidates_.push_back(std::move(candidate));
  }

  void measure_times() {
    const at::NoGradGuard no_gradients;
    std::vector<std::function<void()>> work;
    for (const Candidate& candidate : candidates_)
      work.emplace_back([&candidate] { wait_for(candidate.module->run(candidate.inputs)); });
    const std::vector<Latency> found = measure_latency(work, options_.seconds);
    for (std::size_t i = 0; i < found.size(); ++i) out_.rows[candidates_[i].row].latency = found[i];
  }

  const graph::Model& model_;
  const ImpactOptions& options_;
  std::vector<ImpactMethod> methods_;
  std::vector<at::Tensor> samples_, expected_;
  std::vector<Candidate> candidates_;
  Impact out_;
};

}  // namespace

Impact measure_impact(const graph::Model& model, const ImpactOptions& options) {
  return Measurement(model, options).run();
}

}  // namespace coppice
