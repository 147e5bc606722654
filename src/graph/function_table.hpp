#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "coppice/graph/model.hpp"

namespace coppice::graph {

/// The model-local functions by what calls them.
class FunctionTable {
 public:
  /// Throws Error on two functions of the same name.
  explicit FunctionTable(const Model& model);

  /// The function that a node calls; null for an operator.
  const Function* callee(const Node& node) const;

  /// Throws Error when a function calls itself, directly or through others.
  void check_acyclic() const;

 private:
  std::size_t index_of(const Function& function) const;

  const Model& model_;
  std::unordered_map<std::string, std::size_t> by_key_;
};

/// "domain.name" for messages.
std::string full_name(const Function& function);

/// Calls visit(graph) for every subgraph that is an attribute of the node.
template <class Visit>
void for_each_subgraph(const Node& node, Visit visit) {
  for (const Attribute& attribute : node.attributes) {
    if (const auto* one = std::get_if<GraphPtr>(&attribute.value)) {
      if (*one) visit(**one);
    } else if (const auto* many = std::get_if<std::vector<GraphPtr>>(&attribute.value)) {
      for (const GraphPtr& graph : *many)
        if (graph) visit(*graph);
    }
  }
}

/// Calls visit(node) for every node of a graph and of its subgraphs.
template <class Visit>
void for_each_node(const Graph& graph, Visit& visit) {
  for (const Node& node : graph.nodes) {
    visit(node);
    for_each_subgraph(node, [&](const Graph& inner) { for_each_node(inner, visit); });
  }
}

}  // namespace coppice::graph
