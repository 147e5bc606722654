#include "coppice/graph/print.hpp"

#include "graph/print_attribute.hpp"

namespace coppice::graph {
namespace {

std::string label(const Graph& graph, ValueId id) {
  const Value& value = graph.values[static_cast<std::size_t>(id)];
  return value.name + " " + show_dims(value.shape);
}

bool drawn(const Graph& graph, ValueId id) {
  return id != no_value && !graph.constant(id);
}

}  // namespace

std::string to_dot(const Graph& graph) {
  std::string out = "digraph " + quoted(graph.name) + " {\n  node [shape=box];\n";
  // Where each value comes from: a node n<i>, or v<id> for an input or a captured value.
  const auto source = [&](ValueId id) {
    const Value& value = graph.values[static_cast<std::size_t>(id)];
    return value.producer >= 0 ? "n" + std::to_string(value.producer) : "v" + std::to_string(id);
  };
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    const Value& value = graph.values[i];
    if (value.producer < 0 && value.initializer < 0 && (value.is_input || value.captured))
      out += "  v" + std::to_string(i) + " [shape=ellipse, label=" + quoted(label(graph, static_cast<ValueId>(i))) +
             "];\n";
  }
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (node.is("Constant")) continue;
    const std::string id = "n" + std::to_string(i);
    out += "  " + id + " [label=" + quoted(describe(graph, node)) + "];\n";
    for (ValueId input : node.inputs)
      if (drawn(graph, input))
        out += "  " + source(input) + " -> " + id + " [label=" + quoted(graph.name_of(input)) + "];\n";
    for (const std::string& name : captured_names(node))
      if (const ValueId captured = graph.find(name); drawn(graph, captured))
        out += "  " + source(captured) + " -> " + id + " [style=dashed, label=" + quoted(name) + "];\n";
  }
  for (ValueId output : graph.outputs) {
    if (!drawn(graph, output)) continue;
    const std::string id = "o" + std::to_string(output);
    out += "  " + id + " [shape=ellipse, label=" + quoted(label(graph, output)) + "];\n";
    out += "  " + source(output) + " -> " + id + ";\n";
  }
  return out + "}\n";
}

}  // namespace coppice::graph
