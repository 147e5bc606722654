#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "coppice/graph/fact.hpp"
#include "coppice/graph/graph.hpp"
#include "coppice/graph/model.hpp"

namespace coppice::graph {

/// Facts of all values of one graph, indexed by ValueId.
struct Facts : std::vector<Fact> {
  using std::vector<Fact>::vector;
  std::int64_t data_extent = 0;  ///< As in the World they were inferred in.
  bool data_dependent = false;   ///< Some extent was taken from `data_extent`.
};

/// What an operator's inference function sees of its node.
class InferContext {
 public:
  InferContext(const Model& model, const Graph& graph, const Node& node, Facts& facts)
      : model_(model), graph_(graph), node_(node), facts_(facts) {}

  const Model& model() const { return model_; }
  const Graph& graph() const { return graph_; }
  const Node& node() const { return node_; }
  /// Version of the node's operator set.
  std::int64_t opset() const { return model_.opset(node_.domain); }

  std::size_t input_count() const { return node_.inputs.size(); }
  std::size_t output_count() const { return node_.outputs.size(); }
  bool has_input(std::size_t i) const { return node_.input(i) != no_value; }
  /// An absent operand gives an empty Fact.
  const Fact& in(std::size_t i) const;
  /// The whole tensor when operand i is an initializer or Constant, of any size.
  const Tensor* constant(std::size_t i) const;
  /// Sets what is known of output i; ignored for an absent output.
  void out(std::size_t i, Fact fact);

 private:
  const Model& model_;
  const Graph& graph_;
  const Node& node_;
  Facts& facts_;
};

/// One operator of the registry.
struct OpDef {
  std::string_view domain, op;
  /// Sets the facts of the outputs as far as they follow from those of the inputs; leaves unknown what does not follow.
  /// Throws Error when the operands contradict the operator's definition (where, expected, found). Null: the operator
  /// is known, its shape is not ("unknown shape").
  void (*infer)(InferContext&) = nullptr;
  /// Multiply-accumulates for the given facts of inputs and outputs; null: none.
  double (*macs)(const Node& node, const std::vector<const Fact*>& in, const std::vector<const Fact*>& out) = nullptr;
  /// Bit i set: operand i shapes the computation (Reshape's target, Slice's bounds, Pad's pads, axes, TopK's k...)
  /// instead of being data.
  std::uint32_t structural = 0;
};

/// The entry of an operator, or null for an operator that we do not know. Domain "" or "ai.onnx" is the default one.
const OpDef* find_op(std::string_view domain, std::string_view op);
/// All entries, in alphabetical order.
std::span<const OpDef> all_ops();

/// Facts of the inputs (from `world`), initializers and constants; everything else is unknown.
Facts initial_facts(const Model& model, const Graph& graph, const World& world);
/// Runs inference of one node on `facts`. What does not follow (an unknown operator, one without an inference function,
/// extents that depend on data) is taken from the file's declaration as far as that is static.
void infer_node(const Model& model, const Graph& graph, const Node& node, Facts& facts);
/// initial_facts, then infer_node over the sorted nodes. An Error names the node. Time is linear in nodes; contents of
/// more than 64 elements that nodes compute are followed up to 2^22 elements in all.
Facts infer(const Model& model, const Graph& graph, const World& world);
/// As infer(), but a node whose inference throws leaves its outputs unknown and adds its message to `problems`.
Facts infer_tolerant(const Model& model, const Graph& graph, const World& world, std::vector<std::string>* problems);

/// Whether a node is shape arithmetic: every result's elements are known, and are whole numbers or a single real
/// number.
bool is_folded(const Node& node, const Facts& facts);

/// Worlds of a model: `first` and `second` give different extents (all at least 2) to every dynamic dimension, equal
/// ones to dimensions that share a name; a static model has equal worlds. `given` fixes extents by input name and
/// guides both as far as it can. Tried on the graph: among several plausible choices the first with the fewest
/// contradictions is taken; where an extent can't vary in spite of its declaration, the worlds agree on it.
struct Worlds {
  World first, second;
  bool dynamic = false;
  /// The world in which MACs are counted: `given` extents, else batch 1 and usual image sizes.
  World counting;
};
/// Throws Error when `given` names no input, or contradicts the declared rank or a declared extent.
Worlds choose_worlds(const Model& model, const std::vector<std::pair<std::string, Shape>>& given);

/// Multiply-accumulates of one node; 0 for operators that have none or whose shapes are unknown.
double node_macs(const Graph& graph, const Node& node, const Facts& facts);

}  // namespace coppice::graph
