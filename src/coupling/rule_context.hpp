#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "coppice/base/error.hpp"
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

/// Locks an axis for good: one of a constant that has no units yet never gets any.
void hold(Axis& axis, Reason reason, std::int32_t node, State& state);

struct RuleOptions {
  bool whole_groups = false;  ///< Grouped convolutions lose whole groups instead of the same offset in every group.
};

/// Extents of a value. Throws Error on an axis that it does not have.
class Extents {
 public:
  explicit Extents(std::span<const std::int64_t> shape) : shape_(shape) {}
  std::int64_t operator[](std::size_t k) const {
    if (k >= shape_.size()) throw Error("expected an axis " + std::to_string(k));
    return shape_[k];
  }
  std::int64_t back() const { return (*this)[shape_.size() - 1]; }
  operator std::span<const std::int64_t>() const { return shape_; }

 private:
  std::span<const std::int64_t> shape_;
};

/// What an operator's axis rule sees of its node: the axes of its operands (shapes are known), the algebra of State,
/// and the axes of its results to set. A result axis that is not set is free. A tracked operand axis that a rule drops
/// must be locked or declared mixed. Operands and axes that a rule expects and the node does not have throw Error: the
/// rule is left, and everything that the node touches is locked.
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
  std::size_t rank(std::size_t i) const { return has(i) ? axes_.rank(node().input(i)) : 0; }
  std::size_t out_rank(std::size_t i = 0) const { return has_output(i) ? axes_.rank(node().output(i)) : 0; }
  Extents shape(std::size_t i) const { return Extents(facts_[at(operand(i))].shape); }
  Extents out_shape(std::size_t i = 0) const {
    if (!has_output(i)) throw Error("expected an output " + std::to_string(i));
    return Extents(facts_[at(node().output(i))].shape);
  }
  bool constant(std::size_t i) const { return axes_.constant(operand(i)); }
  /// The operand's elements when they are known whole numbers.
  std::optional<std::vector<std::int64_t>> ints(std::size_t i) const {
    return has(i) ? facts_[at(node().input(i))].int_values() : std::nullopt;
  }
  /// As ints(), or the attribute of that name (older operator sets); nothing when absent or unknown.
  std::optional<std::vector<std::int64_t>> ints(std::size_t i, std::string_view attribute) const;
  /// The operand's elements when they are known real numbers.
  std::optional<std::vector<double>> reals(std::size_t i) const;
  /// Axis k of operand i; an axis of a constant gets its units now.
  Axis axis(std::size_t i, std::size_t k);
  /// All axes of operand i.
  std::vector<Axis> axes(std::size_t i);
  /// Axis k without giving units to a constant's.
  const Axis& peek(std::size_t i, std::size_t k) const { return axes_.of(operand(i))[checked(i, k)]; }

  /// Axis k of result i as set so far.
  const Axis& result(std::size_t i, std::size_t k) const {
    if (k >= out_rank(i)) throw Error("expected output " + std::to_string(i) + " to have an axis " + std::to_string(k));
    return axes_.of(node().output(i))[k];
  }
  void set(std::size_t output, std::span<const Axis> axes);
  void set(std::size_t output, std::size_t k, const Axis& axis);

  Axis meet(const Axis& a, const Axis& b) { return state_.meet(a, b, index_); }
  void lock(const Axis& axis, Reason reason) { state_.lock(axis, reason, index_); }
  /// Locks axis k of operand i. An unborn axis of a constant becomes a free one, so that no later reader of the same
  /// constant gives it units.
  void lock(std::size_t i, std::size_t k, Reason reason);
  /// Locks the axes of operand i from `first` on.
  void lock_from(std::size_t i, std::size_t first, Reason reason);
  void lock_all(Reason reason);
  /// Declares that the node mixes the indices of an axis, which keeps factors there from carrying a cut by choice.
  void mix(Mixing how, std::size_t operand, std::size_t axis, bool avoid = true);
  void mix_contraction(std::size_t a, std::size_t a_axis, std::size_t b, std::size_t b_axis);
  /// As mix_contraction, for a grouped product: axis a lists the indices of all groups, and the rule ties them.
  void mix_groups(std::size_t a, std::size_t a_axis, std::size_t b, std::size_t b_axis);
  /// Axis index with negatives counted from the end. Throws Error when there is no such axis.
  static std::size_t wrap(std::int64_t axis, std::size_t rank) {
    const auto ranks = static_cast<std::int64_t>(rank);
    if (axis < -ranks || axis >= ranks) throw Error("expected an axis of rank " + std::to_string(rank));
    return static_cast<std::size_t>(axis < 0 ? axis + ranks : axis);
  }

  const RuleOptions& options;

 private:
  static std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }
  graph::ValueId operand(std::size_t i) const {
    if (!has(i)) throw Error("expected an operand " + std::to_string(i));
    return node().input(i);
  }
  std::size_t checked(std::size_t i, std::size_t k) const {
    if (k >= rank(i)) throw Error("expected operand " + std::to_string(i) + " to have an axis " + std::to_string(k));
    return k;
  }
  const graph::Model& model_;
  const graph::Graph& graph_;
  std::int32_t index_;
  const graph::Facts& facts_;
  Axes& axes_;
  State& state_;
  std::vector<Mix>& mixes_;
};

}  // namespace coppice::coupling
