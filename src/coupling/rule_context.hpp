#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "coppice/coupling/axis.hpp"
#include "coppice/graph/infer.hpp"

#include "coupling/state.hpp"

namespace coppice::coupling {

/// Axes of all values of a graph, filled in one pass over the sorted nodes.
class Axes {
 public:
  Axes(const graph::Graph& graph, const graph::Facts& facts);

  bool ranked(graph::ValueId value) const { return rank_[at(value)] >= 0; }
  std::size_t rank(graph::ValueId value) const {
    return ranked(value) ? static_cast<std::size_t>(rank_[at(value)]) : 0;
  }
  std::span<Axis> of(graph::ValueId value) { return {pool_.data() + first_[at(value)], rank(value)}; }
  std::span<const Axis> of(graph::ValueId value) const { return {pool_.data() + first_[at(value)], rank(value)}; }
  /// Depends on initializers and Constant nodes alone.
  bool constant(graph::ValueId value) const { return constant_[at(value)] != 0; }
  void mark_constant(graph::ValueId value) { constant_[at(value)] = 1; }

 private:
  static std::size_t at(graph::ValueId value) { return static_cast<std::size_t>(value); }
  std::vector<std::int32_t> rank_;
  std::vector<std::size_t> first_;
  std::vector<std::uint8_t> constant_;
  std::vector<Axis> pool_;
};

struct RuleOptions {
  bool whole_groups = false;  ///< Grouped convolutions lose whole groups instead of the same offset in every group.
};

/// What an operator's axis rule sees of its node: the axes of its operands (shapes are known), the algebra of State,
/// and the axes of its results to set. A result axis that is not set is free. A tracked operand axis that a rule drops
/// must be locked or declared mixed.
class RuleContext {
 public:
  RuleContext(const graph::Model& m, const graph::Graph& g, std::int32_t i, const graph::Facts& f, Axes& a, State& s,
              std::vector<Mix>& mixes, const RuleOptions& o)
      : options(o), model_(m), graph_(g), index_(i), facts_(f), axes_(a), state_(s), mixes_(mixes) {}

  const graph::Node& node() const { return graph_.nodes[static_cast<std::size_t>(index_)]; }
  std::int64_t opset() const { return model_.opset(node().domain); }
  State& state() { return state_; }
  std::int32_t index() const { return index_; }

  bool has(std::size_t i) const { return node().input(i) != graph::no_value; }
  bool has_output(std::size_t i) const { return node().output(i) != graph::no_value; }
  std::size_t rank(std::size_t i) const { return axes_.rank(node().input(i)); }
  std::size_t out_rank(std::size_t i = 0) const { return axes_.rank(node().output(i)); }
  const graph::Shape& shape(std::size_t i) const { return facts_[at(node().input(i))].shape; }
  const graph::Shape& out_shape(std::size_t i = 0) const { return facts_[at(node().output(i))].shape; }
  bool constant(std::size_t i) const { return axes_.constant(node().input(i)); }
  /// The operand's elements when they are known whole numbers.
  std::optional<std::vector<std::int64_t>> ints(std::size_t i) const {
    return has(i) ? facts_[at(node().input(i))].int_values() : std::nullopt;
  }
  /// As ints(), or the attribute of that name (older operator sets); nothing when absent or unknown.
  std::optional<std::vector<std::int64_t>> ints(std::size_t i, std::string_view attribute) const;
  /// Axis k of operand i; an axis of a constant gets its units now.
  Axis axis(std::size_t i, std::size_t k);
  /// All axes of operand i.
  std::vector<Axis> axes(std::size_t i);
  /// Axis k without giving units to a constant's.
  const Axis& peek(std::size_t i, std::size_t k) const { return axes_.of(node().input(i))[k]; }

  void set(std::size_t output, std::span<const Axis> axes);
  void set(std::size_t output, std::size_t k, const Axis& axis);

  Axis meet(const Axis& a, const Axis& b) { return state_.meet(a, b, index_); }
  void lock(const Axis& axis, Reason reason) { state_.lock(axis, reason, index_); }
  /// Locks the axes of operand i from `first` on; the unborn axes of constants stay unborn.
  void lock_from(std::size_t i, std::size_t first, Reason reason);
  void lock_all(Reason reason);
  /// Declares that the node mixes the indices of an axis, which keeps factors there from carrying a cut by choice.
  void mix(Mixing how, std::size_t operand, std::size_t axis, bool avoid = true);
  void mix_contraction(std::size_t a, std::size_t a_axis, std::size_t b, std::size_t b_axis);
  /// Axis index with negatives counted from the end.
  static std::size_t wrap(std::int64_t axis, std::size_t rank) {
    return static_cast<std::size_t>(axis < 0 ? axis + static_cast<std::int64_t>(rank) : axis);
  }

  const RuleOptions& options;

 private:
  static std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }
  const graph::Model& model_;
  const graph::Graph& graph_;
  std::int32_t index_;
  const graph::Facts& facts_;
  Axes& axes_;
  State& state_;
  std::vector<Mix>& mixes_;
};

}  // namespace coppice::coupling
