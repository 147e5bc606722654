#include "torch/inplace/literals.hpp"

#include <map>
#include <vector>

#include "coppice/graph/infer.hpp"

namespace coppice::inplace {
namespace {

using graph::Graph;
using graph::Node;

// The whole numbers of an operand that shapes the computation.
std::vector<std::int64_t> numbers(const Graph& graph, const Node& node, std::size_t operand) {
  const graph::OpDef* def = graph::find_op(node.domain, node.op);
  if (!def || operand >= 32 || (def->structural >> operand & 1u) == 0) return {};
  const tensor::Tensor* constant = graph.constant(node.input(operand));
  if (!constant || !tensor::is_integer(constant->dtype)) return {};
  std::vector<std::int64_t> out;
  for (std::int64_t i = 0; i < constant->elements(); ++i) out.push_back(tensor::element_as_int(*constant, i));
  return out;
}

}  // namespace

std::string changed_literals(const Graph& before, const Graph& after, std::size_t most) {
  std::map<std::string_view, const Node*> by_output;
  for (const Node& node : after.nodes) by_output[after.name_of(node.output(0))] = &node;
  std::string out;
  for (const Node& node : before.nodes) {
    const auto it = by_output.find(before.name_of(node.output(0)));
    if (it == by_output.end()) continue;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const auto old = numbers(before, node, i), now = numbers(after, *it->second, i);
      if (old == now || most == 0) continue;
      out += (out.empty() ? "" : "; ") + graph::describe(before, node) + ": " + tensor::to_string(old) + " becomes " +
             tensor::to_string(now);
      --most;
    }
  }
  return out;
}

}  // namespace coppice::inplace
