#include <algorithm>

#include "coppice/base/at.hpp"
#include "coppice/graph/parameters.hpp"

#include "graph/roles/operand_roles.hpp"
#include "graph/roles/tables.hpp"

namespace coppice::graph {
namespace {

// What the readers of a value make of it.
struct Use {
  Role role = Role::none;
  bool quantised = false;   ///< Its integers stand for real numbers.
  bool multiplies = false;  ///< What is looked up or passed on multiplies activations.

  void join(const Use& other) {
    const auto order = [](Role r) { return r == Role::none ? 5 : static_cast<int>(r); };
    if (order(other.role) < order(role)) {
      role = other.role;
      multiplies = other.multiplies;
    }
    quantised = quantised || other.quantised;
  }
};

Role plain(OperandRole role) {
  switch (role) {
    case OperandRole::weight:
      return Role::weight;
    case OperandRole::scale:
      return Role::scale;
    case OperandRole::bias:
      return Role::bias;
    case OperandRole::buffer:
      return Role::buffer;
    default:
      return Role::none;
  }
}

// Deeper nesting than this does not come from an exporter.
constexpr int nesting_limit = 32;

class Walk {
 public:
  Walk(const Graph& graph, int depth) : graph_(graph), uses_(graph.values.size()), constant_(graph.values.size(), 0) {
    mark_constants();
    for (std::size_t n = graph.nodes.size(); n-- > 0;) {
      visit(graph.nodes[n]);
      if (depth < nesting_limit) visit_subgraphs(graph.nodes[n], depth);
    }
  }

  const Use& use(std::size_t value) const { return uses_[value]; }

 private:
  void mark_constants() {
    for (const Initializer& initializer : graph_.initializers) constant_[at(initializer.value)] = 1;
    for (const Node& node : graph_.nodes) {
      const bool folds = node.is("Constant") ||
                         (!node.inputs.empty() && std::all_of(node.inputs.begin(), node.inputs.end(), [&](ValueId i) {
                           return i == no_value || constant_[at(i)] != 0;
                         }));
      if (!folds) continue;
      for (ValueId output : node.outputs)
        if (output != no_value) constant_[at(output)] = 1;
    }
  }

  void visit(const Node& node) {
    if (node.inputs.empty()) return;
    Use result;
    bool folded = false;
    for (ValueId output : node.outputs) {
      if (output == no_value) continue;
      result.join(uses_[at(output)]);
      folded = folded || constant_[at(output)] != 0;
    }
    const bool quantised = reads_quantised(node);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId input = node.inputs[i];
      if (input == no_value) continue;
      uses_[at(input)].join(operand(node, i, result, folded, quantised));
    }
  }

  Use operand(const Node& node, std::size_t i, const Use& result, bool folded, bool quantised) const {
    const Tensor* tensor = graph_.constant(node.inputs[i]);
    const OperandRole role = operand_role(node, i, tensor ? tensor->shape.size() : 0);
    if (role == OperandRole::none) return {};
    Use out{plain(role), quantised, false};
    if (role != OperandRole::passed && unit_norm_operand(node, i)) return {Role::buffer, false, false};
    const bool lookup = i == 0 && (node.op == "Gather" || node.op == "Slice") && !folded;
    // A computation on constants alone makes its operands what its result is.
    if (role == OperandRole::passed || (folded && role != OperandRole::buffer)) out.role = result.role;
    out.multiplies = (lookup || role == OperandRole::passed) && (result.role == Role::scale || result.multiplies);
    if (role == OperandRole::passed || lookup) out.quantised = quantised || result.quantised;
    return out;
  }

  // A group norm in parts: an instance norm between reshapes, whose own scale and shift are ones and zeros.
  bool unit_norm_operand(const Node& node, std::size_t i) const {
    if (!node.is("InstanceNormalization") || i == 0 || i > 2 || node.input(0) == no_value) return false;
    const std::int32_t producer = graph_.values[at(node.inputs[0])].producer;
    if (producer < 0 || !graph_.nodes[at(producer)].is("Reshape")) return false;
    const Tensor *scale = graph_.constant(node.input(1)), *shift = graph_.constant(node.input(2));
    return scale && shift && is_filled(*scale, 1) && is_filled(*shift, 0);
  }

  void visit_subgraph(const Graph& inner, int depth) {
    const Walk walk(inner, depth + 1);
    for (std::size_t v = 0; v < inner.values.size(); ++v) {
      if (!inner.values[v].captured) continue;
      const ValueId outer = graph_.find(inner.values[v].name);
      if (outer != no_value) uses_[at(outer)].join(walk.use(v));
    }
  }

  void visit_subgraphs(const Node& node, int depth) {
    for (const Attribute& attribute : node.attributes) {
      if (const auto* one = std::get_if<GraphPtr>(&attribute.value)) {
        if (*one) visit_subgraph(**one, depth);
      } else if (const auto* many = std::get_if<std::vector<GraphPtr>>(&attribute.value)) {
        for (const GraphPtr& inner : *many)
          if (inner) visit_subgraph(*inner, depth);
      }
    }
  }

  const Graph& graph_;
  std::vector<Use> uses_;
  std::vector<std::uint8_t> constant_;
};

Role settle(const Use& use, const Tensor& tensor, bool from_node) {
  if (use.role == Role::none || tensor.shape.empty()) return Role::none;
  if (std::find(tensor.shape.begin(), tensor.shape.end(), 0) != tensor.shape.end()) return Role::none;
  const bool single = std::all_of(tensor.shape.begin(), tensor.shape.end(), [](std::int64_t d) { return d == 1; });
  if (from_node && single) return Role::none;
  const bool integer = tensor::is_integer(tensor.dtype);
  if (tensor.dtype == DType::string || tensor.dtype == DType::boolean || (integer && !use.quantised)) return Role::none;
  if (use.role == Role::bias && is_mask(tensor)) return Role::buffer;
  if (use.multiplies && is_rotation_table(tensor)) return Role::buffer;
  return use.role;
}

}  // namespace

std::vector<Role> constant_roles(const Graph& graph) {
  const Walk walk(graph, 0);
  std::vector<Role> roles(graph.values.size(), Role::none);
  for (std::size_t v = 0; v < roles.size(); ++v)
    if (const Tensor* tensor = graph.constant(static_cast<ValueId>(v)))
      roles[v] = settle(walk.use(v), *tensor, graph.values[v].initializer < 0);
  return roles;
}

}  // namespace coppice::graph
