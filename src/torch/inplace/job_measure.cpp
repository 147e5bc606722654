#include "coppice/base/at.hpp"
#include "coppice/torch/graph_module.hpp"

#include "torch/inplace/job.hpp"

namespace coppice::inplace {

using graph::ValueId;

at::Tensor Job::expanded(const at::Tensor& tensor, std::span<const coupling::Axis> axes) const {
  at::Tensor out = tensor.detach();
  for (std::size_t k = 0; k < axes.size(); ++k) {
    const auto axis = static_cast<std::int64_t>(k);
    if (out.size(axis) == axes[k].length) continue;
    std::vector<std::int64_t> extents = out.sizes().vec();
    extents[k] = axes[k].length;
    const at::Tensor kept = at::tensor(prepared.couplings.kept(axes[k], removed), at::kLong).to(out.device());
    out = at::zeros(extents, out.options()).index_copy(axis, kept, out);
  }
  return out;
}

// What is trained, under the names of the graph.
NamedTensors Job::parameters() {
  NamedTensors out;
  for (const auto& [name, tensor] : target->tensors()) {
    const ValueId value = prepared.model.graph.find(name);
    if (value != graph::no_value && graph::is_parameter(prepared.roles[at(value)])) out.emplace_back(name, tensor);
  }
  return out;
}

NamedTensors Job::in_full(const NamedTensors& tensors) const {
  NamedTensors out;
  for (const auto& [name, tensor] : tensors)
    out.emplace_back(name, expanded(tensor, prepared.couplings.axes(prepared.model.graph.find(name))).clone());
  return out;
}

NamedTensors Job::in_current_widths(const NamedTensors& tensors) const {
  NamedTensors out;
  for (const auto& [name, tensor] : tensors) {
    const ValueId value = prepared.model.graph.find(name);
    if (value == graph::no_value) continue;
    const auto axes = prepared.couplings.axes(value);
    Kept kept;
    for (std::size_t k = 0; k < axes.size() && static_cast<std::int64_t>(k) < tensor.dim(); ++k)
      if (axes[k].tracked() && prepared.couplings.kept_count(axes[k], removed) != axes[k].length)
        kept.emplace_back(static_cast<std::int64_t>(k), prepared.couplings.kept(axes[k], removed));
    out.emplace_back(name, keep(tensor, kept));
  }
  return out;
}

// Scores from gradients, activations and earlier weights, for the module as it is.
importance::Measure Job::measure(std::span<const std::uint8_t> gone) {
  const CriterionOptions& needs = options.criterion.options();
  std::optional<GraphModule> silenced;
  const NamedTensors trained = parameters();
  if ((needs.input_norm || needs.output_norm) && !trained.empty()) {
    silenced.emplace(twin(prepared, gone));
    silenced->to(trained.front().second.device());
  }
  Evidence evidence = collect(model, trained, needs, options.calibration, {silenced ? &*silenced : nullptr, &prepared});
  if (needs.initial) add_initial(evidence, in_current_widths(initial));
  return make_measure(options.criterion, prepared, gone, std::move(evidence));
}

}  // namespace coppice::inplace
