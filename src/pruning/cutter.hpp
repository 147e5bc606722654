#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "coppice/pruning/cut.hpp"

#include "pruning/kept_extents.hpp"

namespace coppice::pruning {

/// Whole numbers, one list a world.
using PerWorld = std::vector<std::vector<std::int64_t>>;

/// A copy of the prepared model while it is being cut: nodes are visited in order, their operands that shape the
/// computation are made to say what the plan needs, and inference runs behind.
class Cutter {
 public:
  Cutter(const Prepared& prepared, std::span<const std::uint8_t> removed, Gathering gathering);
  graph::Model run();

  // -- for the structure rules: the node in hand
  graph::Node& node() { return graph().nodes[current_]; }
  std::int64_t opset() const { return model_.opset(model_.graph.nodes[current_].domain); }
  std::size_t worlds() const { return before_.size(); }
  /// Facts before and after the cut.
  const graph::Fact& old_fact(std::size_t world, std::size_t operand);
  const graph::Fact& new_fact(std::size_t world, std::size_t operand);
  const graph::Fact& old_result(std::size_t world, std::size_t output);
  std::span<const coupling::Axis> axes(std::size_t operand) { return axes_of(node().input(operand)); }
  std::span<const coupling::Axis> result_axes(std::size_t output) { return axes_of(node().output(output)); }
  /// Whether an axis loses indices.
  bool is_cut(const coupling::Axis& axis) const { return kept_count(axis) != axis.length; }
  std::int64_t kept_count(const coupling::Axis& axis) const { return extents_.axis(axis); }
  std::vector<std::int64_t> kept(const coupling::Axis& axis) const { return p_.couplings.kept(axis, removed_); }
  /// Shape of a value after the cut, by plan; empty when it is not known.
  std::optional<graph::Shape> planned(graph::ValueId value, std::size_t world) const;

  /// Makes operand i hold these numbers (same in all worlds for an attribute or a literal). No-op when it does.
  void require(std::size_t operand, const PerWorld& wanted);
  /// As require() on an operand, or on the attribute where the operand is absent.
  void require(std::size_t operand, const std::string& attribute, const PerWorld& wanted);
  /// Replaces operand i by a new constant.
  void replace(std::size_t operand, graph::Tensor tensor);
  [[noreturn]] void fail(const std::string& what);

 private:
  using Wanted = std::vector<std::vector<std::optional<std::int64_t>>>;

  graph::Graph& graph() { return model_.graph; }
  std::span<const coupling::Axis> axes_of(graph::ValueId value) const;
  std::vector<graph::ValueId> shape_sources(const graph::Node& node) const;
  void cut_constants();
  void keep_structure(bool adapted);
  void check_data_operands();
  void check_results();
  void update_declarations();
  void finish();
  /// Whether the cut changed nothing that is known of a value.
  bool is_as_before(graph::ValueId value) const;
  bool holds(graph::ValueId value, const Wanted& wanted) const;
  /// A value that holds the wanted numbers, made by changing literals behind `value`; no_value when that can't be done.
  /// `exclusive`: everything between `value` and the operand in hand has no other reader, so it may change in place.
  graph::ValueId solve(graph::ValueId value, const Wanted& wanted, int depth, bool exclusive);
  graph::ValueId solve_arithmetic(const graph::Node& node, const Wanted& wanted, int depth, bool exclusive);
  graph::ValueId solve_moved(const graph::Node& node, const Wanted& wanted, int depth, bool exclusive,
                             const std::vector<std::int64_t>& from);
  graph::ValueId literal(graph::ValueId value, const Wanted& wanted, bool exclusive);
  graph::ValueId clone(const graph::Node& node, std::vector<graph::ValueId> inputs);
  graph::ValueId patch(graph::ValueId value, const Wanted& wanted);
  graph::ValueId constant(std::string_view stem, graph::Tensor tensor);
  const graph::Node* producer(graph::ValueId value) const;
  void learn_constant(graph::ValueId value);

  const Prepared& p_;
  std::span<const std::uint8_t> removed_;
  Gathering gathering_;
  graph::Model model_;
  std::vector<const graph::Facts*> before_;
  std::vector<graph::Facts> after_;
  mutable KeptExtents extents_;  // counts a track when it is first asked for
  std::vector<std::int32_t> uses_;
  std::size_t current_ = 0;
  std::vector<std::pair<std::size_t, graph::Node>> added_;  ///< New nodes and the index that they go before.
  std::map<std::pair<graph::ValueId, Wanted>, graph::ValueId> solved_;
};

/// Adapts the attributes and structural operands of the node in hand; null where an operator has none.
using StructureRule = void (*)(Cutter&);
StructureRule find_structure_rule(std::string_view domain, std::string_view op);

}  // namespace coppice::pruning
