#include <cmath>
#include <mutex>

#include <ATen/Context.h>
#include <torch/csrc/autograd/autograd.h>

#include "coppice/base/at.hpp"
#include "coppice/torch/evidence.hpp"
#include "coppice/torch/graph_module.hpp"

#include "torch/scoring/batches.hpp"
#include "torch/scoring/norms.hpp"
#include "torch/trace/undisturbed.hpp"

namespace coppice {
namespace {

using namespace scoring;

/// Sums of gradients, and of their squares, over the samples.
class Gradients {
 public:
  Gradients(const Callable& module, const NamedTensors& parameters, const Loss& loss, bool squares)
      : module_(module), parameters_(parameters), loss_(loss), squares_(squares) {
    for (const auto& [name, tensor] : parameters) {
      if (!tensor.requires_grad())
        throw Error("parameter \"" + name + "\": expected one that requires a gradient, found one that does not");
      tensors_.push_back(tensor);
      sums_.push_back(at::zeros(tensor.sizes(), tensor.options().dtype(at::kDouble).requires_grad(false)));
      if (squares) squared_sums_.push_back(at::zeros_like(sums_.back()));
    }
  }

  void add(const Batch& batch, const std::string& where) {
    const std::int64_t samples = batch.inputs.front().size(0);
    if (!squares_) return add_part(batch, samples, where);
    for (std::int64_t n = 0; n < samples; ++n) {
      Batch one;
      for (const at::Tensor& input : batch.inputs) one.inputs.push_back(input.narrow(0, n, 1));
      one.target = batch.target.narrow(0, n, 1);
      add_part(one, 1, where + ", sample " + std::to_string(n));
    }
  }

  void finish(Evidence& evidence, const CriterionOptions& options, std::int64_t samples) {
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      WeightView& view = evidence.at(parameters_[i].first);
      if (options.gradient) view.gradient = sums_[i] / samples;
      if (options.squared_gradient) view.squared_gradient = squared_sums_[i] / samples;
    }
  }

 private:
  void add_part(const Batch& batch, std::int64_t samples, const std::string& where) {
    const std::vector<at::Tensor> gradients = guarded(where, [&] {
      const at::Tensor loss = loss_(module_(batch.inputs), batch.target);
      check(loss);
      return torch::autograd::grad({loss}, tensors_, {}, {}, false, /*allow_unused=*/true);
    });
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      if (!gradients[i].defined()) continue;  // takes no part in the loss
      const at::Tensor wide = gradients[i].to(at::kDouble);
      if (!std::isfinite(wide.sum().item<double>()) && !wide.isfinite().all().item<bool>())
        throw Error(where + ": expected a finite gradient of \"" + parameters_[i].first +
                    "\", found nan or an infinity");
      sums_[i].add_(wide, samples);
      if (squares_) squared_sums_[i].addcmul_(wide, wide);
    }
  }

  static void check(const at::Tensor& loss) {
    if (!loss.defined() || loss.numel() != 1)
      throw Error("expected a loss of one number, found " +
                  (loss.defined() ? std::to_string(loss.numel()) : std::string("none")));
    if (const auto value = loss.item<double>(); !std::isfinite(value))
      throw Error("expected a finite loss, found " + std::to_string(value));
    if (!loss.requires_grad()) throw Error("the loss depends on no parameter");
  }

  const Callable& module_;
  const NamedTensors& parameters_;
  const Loss& loss_;
  bool squares_;
  std::vector<at::Tensor> tensors_, sums_, squared_sums_;
};

void seed(at::Device device, std::uint64_t value) {
  for (const at::Device place : {at::Device(at::kCPU), device}) {
    if (!place.is_cpu() && !place.is_cuda()) continue;
    at::Generator generator = at::globalContext().defaultGenerator(place);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_current_seed(value);
  }
}

void check(const NamedTensors& parameters, const CriterionOptions& options, const Calibration& calibration,
           const Activations& activations) {
  if (parameters.empty()) throw Error("expected parameters to score, found none");
  for (const auto& [name, tensor] : parameters)
    if (!tensor.defined()) throw Error("parameter \"" + name + "\": expected a tensor, found none");
  if (options.needs_data() && !calibration.data)
    throw Error("the criterion looks at data: expected calibration data, found none");
  if (options.needs_loss() && !calibration.loss)
    throw Error("the criterion looks at gradients: expected a loss function, found none");
  if ((options.input_norm || options.output_norm) && !activations.module)
    throw Error("the criterion looks at activations: expected a graph to run, found none");
}

}  // namespace

Evidence collect(const Callable& module, const NamedTensors& parameters, const CriterionOptions& options,
                 const Calibration& calibration, const Activations& activations) {
  check(parameters, options, calibration, activations);
  Evidence out;
  for (const auto& [name, tensor] : parameters)
    if (!out.try_emplace(name, WeightView{.weight = tensor.detach().clone()}).second)
      throw Error("parameter \"" + name + "\" is listed twice");
  const at::Device device = parameters.front().second.device();
  if (options.needs_loss()) {
    Gradients gradients(module, parameters, calibration.loss, options.squared_gradient);
    const tracing::Undisturbed undisturbed(module.module(), true);
    seed(device, calibration.seed);
    const at::AutoGradMode with_gradients(true);
    const std::int64_t samples = for_each_batch(
        calibration, device, true, [&](const Batch& batch, const std::string& where) { gradients.add(batch, where); });
    gradients.finish(out, options, samples);
  }
  if (activations.module) {
    const tracing::Undisturbed undisturbed(*activations.module, true);
    seed(device, calibration.seed);
    add_norms(out, options, calibration, activations);
  }
  return out;
}

Evidence collect(GraphModule& module, const pruning::Prepared& prepared, const CriterionOptions& options,
                 const Calibration& calibration) {
  // Buffers are not scored. What only the twin has, such as its masks, is none of the parameters either.
  NamedTensors parameters;
  for (const auto& [name, tensor] : module.constants()) {
    const graph::ValueId value = prepared.model.graph.find(name);
    if (value != graph::no_value && graph::is_parameter(prepared.roles[at(value)]))
      parameters.emplace_back(name, tensor);
  }
  return collect(Callable(module), parameters, options, calibration, {&module, &prepared});
}

NamedTensors snapshot(const NamedTensors& parameters) {
  NamedTensors out;
  for (const auto& [name, tensor] : parameters) out.emplace_back(name, tensor.detach().clone());
  return out;
}

void add_initial(Evidence& evidence, const NamedTensors& snapshot) {
  std::map<std::string_view, const at::Tensor*> by_name;
  for (const auto& [name, tensor] : snapshot) by_name.emplace(name, &tensor);
  for (auto& [name, view] : evidence) {
    const auto found = by_name.find(name);
    if (found == by_name.end() || found->second->sizes() != view.weight.sizes())
      throw Error("initial weights: expected \"" + name + "\" in the shape that it has now, found " +
                  (found == by_name.end() ? "none" : "another shape"));
    view.initial = found->second->detach().to(view.weight.device());
  }
}

}  // namespace coppice
