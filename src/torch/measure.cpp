#include <cmath>
#include <memory>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/torch/evidence.hpp"

#include "torch/messages.hpp"
#include "torch/scoring/layers.hpp"
#include "torch/scoring/numbers.hpp"

namespace coppice {
namespace {

using namespace scoring;
using coupling::Axis;
using coupling::Site;
using graph::ValueId;

/// What is left of one constant's axes.
class Rest {
 public:
  Rest(std::string name, std::span<const Axis> axes, const coupling::Couplings& couplings,
       std::span<const std::uint8_t> removed)
      : name_(std::move(name)), axes_(axes), kept_(axes.size()) {
    for (std::size_t k = 0; k < axes.size(); ++k) {
      if (removed.empty() || !axes[k].tracked() || couplings.kept_count(axes[k], removed) == axes[k].length) continue;
      kept_[k] = couplings.kept(axes[k], removed);
    }
  }

  /// The view without the slices that are gone.
  WeightView of(WeightView view) const {
    const at::Tensor weight = view.weight;
    for (at::Tensor* tensor :
         {&view.weight, &view.gradient, &view.squared_gradient, &view.initial, &view.input_norm, &view.output_norm})
      if (tensor->defined()) *tensor = of(*tensor, weight);
    return view;
  }

  /// Numbers of what is left, at their places in the whole axis; zeros elsewhere.
  std::vector<double> whole(std::size_t axis, std::vector<double> sums) const {
    if (!kept_[axis]) return sums;
    std::vector<double> out(at_length(axis), 0);
    for (std::size_t i = 0; i < sums.size(); ++i) out[static_cast<std::size_t>((*kept_[axis])[i])] = sums[i];
    return out;
  }

 private:
  std::size_t at_length(std::size_t axis) const { return static_cast<std::size_t>(axes_[axis].length); }

  at::Tensor of(at::Tensor tensor, const at::Tensor& weight) const {
    const auto refuse = [&] {
      throw Error("evidence for \"" + name_ +
                  "\": expected the shape of the constant, whole or without what is gone, " + "found " +
                  shape_text(tensor.sizes()));
    };
    if (static_cast<std::size_t>(tensor.dim()) != axes_.size()) refuse();
    for (std::size_t k = 0; k < axes_.size(); ++k) {
      const auto axis = static_cast<std::int64_t>(k);
      const std::int64_t length = tensor.size(axis);
      if (length == 1 && weight.size(axis) != 1) continue;  // shaped to be repeated
      if (!kept_[k] ? length == axes_[k].length : length == static_cast<std::int64_t>(kept_[k]->size())) continue;
      if (length != axes_[k].length) refuse();
      tensor = tensor.index_select(axis, at::tensor(*kept_[k], at::kLong).to(tensor.device()));
    }
    return tensor;
  }

  std::string name_;
  std::span<const Axis> axes_;
  std::vector<std::optional<std::vector<std::int64_t>>> kept_;  // by axis, where some are gone
};

class Measurer {
 public:
  Measurer(const Criterion& criterion, const pruning::Prepared& prepared, std::span<const std::uint8_t> removed,
           const Evidence& evidence)
      : criterion_(criterion), prepared_(prepared), removed_(removed), evidence_(evidence) {
    for (const graph::UntiedUse& use : prepared.untied) originals_.emplace(use.copy, use.original);
    for (const Layer& layer : find_layers(prepared)) layers_.emplace(layer.weight, layer);
  }

  using Sums = std::map<std::pair<ValueId, std::int32_t>, std::vector<double>>;

  Sums run() {
    Total total;
    for (const ValueId constant : prepared_.couplings.constants())
      if (const WeightView* view = find(constant)) measure(constant, *view, total);
    // All scores would be equal, and the choice would be no choice.
    if (sums_.empty())
      throw Error("criterion \"" + criterion_.name() +
                  "\" measures nothing of this model: expected weights that it can " + "score, found none");
    if (criterion_.options().share_of_total)
      for (auto& [site, sums] : sums_)
        for (double& sum : sums) sum /= total.divisor();
    return std::move(sums_);
  }

 private:
  // The copy that a shared constant got when it was untied has the evidence of the original, where it has none.
  const WeightView* find(ValueId constant) const {
    for (ValueId value = constant;;) {
      const auto found = evidence_.find(prepared_.model.graph.name_of(value));
      if (found != evidence_.end()) return &found->second;
      const auto original = originals_.find(value);
      if (original == originals_.end() || original->second == value) return nullptr;
      value = original->second;
    }
  }

  void measure(ValueId constant, WeightView view, Total& total) {
    const std::string name(prepared_.model.graph.name_of(constant));
    const auto axes = prepared_.couplings.axes(constant);
    if (const auto layer = layers_.find(constant); layer != layers_.end()) {
      view.input_axis = layer->second.input_axis;
      view.output_axis = layer->second.output_axis;
    }
    const Rest rest(name, axes, prepared_.couplings, removed_);
    const int output_axis = view.output_axis;
    const at::Tensor found = numbers(criterion_, name, rest.of(std::move(view)));
    if (!found.defined()) return;
    total.add(found);
    for (std::size_t k = 0; k < axes.size(); ++k) {
      const bool channels = criterion_.options().channels;
      if (!axes[k].tracked() || (channels && static_cast<int>(k) != output_axis)) continue;
      std::vector<double> sums = sums_along(found, channels ? 0 : k);
      if (criterion_.options().absolute_sum)
        for (double& sum : sums) sum = std::abs(sum);
      sums_[{constant, static_cast<std::int32_t>(k)}] = rest.whole(k, std::move(sums));
    }
  }

  const Criterion& criterion_;
  const pruning::Prepared& prepared_;
  std::span<const std::uint8_t> removed_;
  const Evidence& evidence_;
  std::map<ValueId, ValueId> originals_;
  std::map<ValueId, Layer> layers_;
  Sums sums_;
};

}  // namespace

importance::Measure make_measure(const Criterion& criterion, const pruning::Prepared& prepared,
                                 std::span<const std::uint8_t> removed, Evidence evidence) {
  if (criterion.weights_only()) return {};
  auto sums = std::make_shared<const Measurer::Sums>(Measurer(criterion, prepared, removed, evidence).run());
  return [sums](const Site& site) {
    const auto found = sums->find({site.constant, site.axis});
    return found == sums->end() ? std::vector<double>() : found->second;
  };
}

std::map<std::string, at::Tensor, std::less<>> weight_scores(const Criterion& criterion, const Evidence& evidence,
                                                             std::uint64_t seed) {
  std::map<std::string, at::Tensor, std::less<>> out;
  Total total;
  std::size_t place = 0;
  for (const auto& [name, view] : evidence) {
    at::Tensor found = numbers(criterion, name, view, seed, place++);
    if (!found.defined()) continue;
    if (criterion.options().absolute_sum) found = found.abs();  // a sum over one weight
    if (criterion.options().channels) {
      std::vector<std::int64_t> shape(static_cast<std::size_t>(view.weight.dim()), 1);
      shape[at(view.output_axis)] = found.size(0);
      found = found.reshape(shape).expand_as(view.weight).contiguous();
    }
    total.add(found);
    out.emplace(name, found);
  }
  if (criterion.options().share_of_total)
    for (auto& [name, scores] : out) scores.div_(total.divisor());
  return out;
}

}  // namespace coppice
