#include "torch/inplace/grouped_norms.hpp"

#include <string_view>

#include "coppice/base/at.hpp"

namespace coppice::inplace {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;

const Node* producer(const Graph& graph, ValueId value, std::string_view op) {
  if (value == graph::no_value || graph.values[at(value)].producer < 0) return nullptr;
  const Node& node = graph.nodes[at(graph.values[at(value)].producer)];
  return node.is(op) ? &node : nullptr;
}

}  // namespace

std::vector<GroupedNorm> grouped_norms(const Graph& graph) {
  std::vector<GroupedNorm> out;
  for (const Node& scaled : graph.nodes) {
    if (!scaled.is("Mul")) continue;
    const Node* whole = producer(graph, scaled.input(0), "Reshape");
    const Node* norm = whole ? producer(graph, whole->input(0), "InstanceNormalization") : nullptr;
    if (!norm || !producer(graph, norm->input(0), "Reshape")) continue;
    const Node* column = producer(graph, scaled.input(1), "Unsqueeze");
    const ValueId weight = column ? column->input(0) : scaled.input(1);
    const graph::Tensor* ones = graph.constant(norm->input(1));
    if (!graph.constant(weight) || !ones || !graph.constant(norm->input(2)) || ones->shape.size() != 1) continue;
    out.push_back({std::string(graph.name_of(weight)),
                   {std::string(graph.name_of(norm->input(1))), std::string(graph.name_of(norm->input(2)))},
                   ones->shape[0]});
  }
  return out;
}

}  // namespace coppice::inplace
