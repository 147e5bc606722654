#include <vector>

#include "coppice/base/error.hpp"

#include "formats/onnx/reader.hpp"

namespace coppice::formats::onnx_detail {
namespace {

// Each level is several messages deep, so the wire walk bounds this too; real models nest four deep at most.
constexpr std::size_t max_subgraph_depth = 32;

bool defines(const graph::Graph& graph, const std::string& name) {
  const graph::ValueId id = graph.find(name);
  if (id == graph::no_value) return false;
  const graph::Value& value = graph.values[static_cast<std::size_t>(id)];
  return value.producer >= 0 || value.initializer >= 0 || value.is_input;
}

template <class Visit>
void for_each_subgraph(const graph::Node& node, Visit visit) {
  for (const graph::Attribute& attribute : node.attributes) {
    if (const auto* one = std::get_if<graph::GraphPtr>(&attribute.value)) {
      visit(**one);
    } else if (const auto* many = std::get_if<std::vector<graph::GraphPtr>>(&attribute.value)) {
      for (const graph::GraphPtr& graph : *many) visit(*graph);
    }
  }
}

void mark_captured(graph::Graph& graph, std::vector<const graph::Graph*>& around) {
  if (around.size() > max_subgraph_depth)
    throw Error("graph \"" + graph.name + "\": subgraphs are nested more than " + std::to_string(max_subgraph_depth) +
                " deep");
  graph.reindex();
  const auto read = [&](graph::ValueId id) {
    if (id == graph::no_value) return;
    graph::Value& value = graph.values[static_cast<std::size_t>(id)];
    if (value.captured || defines(graph, value.name)) return;
    for (const graph::Graph* outer : around) {
      const graph::ValueId there = outer->find(value.name);
      if (there == graph::no_value) continue;
      // What a graph further out captures or defines sparsely is marked there.
      if (defines(*outer, value.name) || outer->values[static_cast<std::size_t>(there)].captured) {
        value.captured = true;
        return;
      }
    }
  };
  for (const graph::Node& node : graph.nodes)
    for (graph::ValueId id : node.inputs) read(id);
  for (graph::ValueId id : graph.outputs) read(id);
  around.push_back(&graph);
  for (const graph::Node& node : graph.nodes)
    for_each_subgraph(node, [&](graph::Graph& inner) { mark_captured(inner, around); });
  around.pop_back();
}

// Innermost first: the order of a graph's nodes depends on what their subgraphs capture, not on the order inside them.
void sort_and_check(graph::Graph& graph) {
  for (const graph::Node& node : graph.nodes) for_each_subgraph(node, sort_and_check);
  graph.sort();
  graph.check();
}

}  // namespace

void finish_graph(graph::Graph& graph) {
  std::vector<const graph::Graph*> around;
  mark_captured(graph, around);
  sort_and_check(graph);
}

}  // namespace coppice::formats::onnx_detail
