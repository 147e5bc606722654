#include "coupling/rule_context.hpp"

namespace coppice::coupling {

Axes::Axes(const graph::Graph& graph, const graph::Facts& facts)
    : rank_(facts.size(), -1), first_(facts.size(), 0), constant_(facts.size(), 0) {
  for (std::size_t v = 0; v < facts.size(); ++v) {
    const auto id = static_cast<graph::ValueId>(v);
    const bool constant = graph.constant(id) != nullptr;
    constant_[v] = constant ? 1 : 0;
    if (!facts[v].complete()) continue;
    rank_[v] = static_cast<std::int32_t>(facts[v].shape.size());
    first_[v] = pool_.size();
    const Reason why = graph.values[v].is_input ? Reason::graph_input : Reason::fixed_axis;
    for (std::int64_t length : facts[v].shape) {
      pool_.push_back(State::free_axis(length, why));
      pool_.back().born = !constant;
    }
  }
}

void hold(Axis& axis, Reason reason, std::int32_t node, State& state) {
  state.lock(axis, reason, node);
  if (axis.born) return;
  axis.born = true;
  axis.why = reason;
}

std::optional<std::vector<std::int64_t>> RuleContext::ints(std::size_t i, std::string_view attribute) const {
  if (has(i)) return ints(i);
  if (!node().has(attribute)) return std::nullopt;
  const auto values = node().ints(attribute);
  return std::vector<std::int64_t>(values.begin(), values.end());
}

std::optional<std::vector<double>> RuleContext::reals(std::size_t i) const {
  const auto& content = facts_[at(operand(i))].content;
  if (!content || content->reals.empty() || !content->all_known()) return std::nullopt;
  return content->reals;
}

Axis RuleContext::axis(std::size_t i, std::size_t k) {
  Axis& axis = axes_.of(operand(i))[checked(i, k)];
  if (!axis.born) axis = state_.fresh_axis(axis.length);
  return axis;
}

std::vector<Axis> RuleContext::axes(std::size_t i) {
  std::vector<Axis> out;
  for (std::size_t k = 0; k < rank(i); ++k) out.push_back(axis(i, k));
  return out;
}

void RuleContext::set(std::size_t output, std::span<const Axis> axes) {
  for (std::size_t k = 0; k < axes.size(); ++k) set(output, k, axes[k]);
}

void RuleContext::set(std::size_t output, std::size_t k, const Axis& axis) {
  if (!has_output(output) || !axes_.ranked(node().output(output))) {
    lock(axis, Reason::unknown_shape);
    return;
  }
  const auto target = axes_.of(node().output(output));
  if (k >= target.size() || target[k].length != axis.length) {
    // A rule and the shape inference disagree: no cut may depend on this axis.
    lock(axis, Reason::unknown_shape);
    return;
  }
  target[k] = axis;
}

void RuleContext::lock(std::size_t i, std::size_t k, Reason reason) {
  hold(axes_.of(operand(i))[checked(i, k)], reason, index_, state_);
}

void RuleContext::lock_from(std::size_t i, std::size_t first, Reason reason) {
  for (std::size_t k = first; k < rank(i); ++k) lock(i, k, reason);
}

void RuleContext::lock_all(Reason reason) {
  for (std::size_t i = 0; i < node().inputs.size(); ++i) lock_from(i, 0, reason);
}

void RuleContext::mix(Mixing how, std::size_t operand, std::size_t k, bool avoid) {
  const Axis a = axis(operand, k);
  if (!a.tracked()) return;
  if (avoid) state_.flag(a, State::avoid);
  mixes_.push_back({.how = how,
                    .node = index_,
                    .operand = static_cast<std::int16_t>(operand),
                    .axis = static_cast<std::int16_t>(k)});
}

void RuleContext::mix_contraction(std::size_t a, std::size_t a_axis, std::size_t b, std::size_t b_axis) {
  const Axis x = axis(a, a_axis), y = axis(b, b_axis);
  const Axis met = meet(x, y);
  if (!met.tracked()) return;
  if (!constant(a) && !constant(b)) state_.flag(met, State::avoid);
  mix_groups(a, a_axis, b, b_axis);
}

void RuleContext::mix_groups(std::size_t a, std::size_t a_axis, std::size_t b, std::size_t b_axis) {
  if (!axis(a, a_axis).tracked()) return;
  mixes_.push_back({.how = Mixing::contraction,
                    .node = index_,
                    .operand = static_cast<std::int16_t>(a),
                    .axis = static_cast<std::int16_t>(a_axis),
                    .other = static_cast<std::int16_t>(b),
                    .other_axis = static_cast<std::int16_t>(b_axis)});
}

}  // namespace coppice::coupling
