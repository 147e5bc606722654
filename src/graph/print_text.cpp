#include <vector>

#include "coppice/graph/print.hpp"

#include "graph/print_attribute.hpp"

namespace coppice::graph {
namespace {

const Value& value_of(const Graph& graph, ValueId id) {
  return graph.values[static_cast<std::size_t>(id)];
}

std::string typed_list(const Graph& graph, const std::vector<ValueId>& ids) {
  std::string out = "(";
  for (ValueId id : ids) {
    if (out.size() > 1) out += ", ";
    const Value& value = value_of(graph, id);
    out += show_name(value.name) + ": " + std::string(tensor::name(value.dtype)) + show_dims(value.shape);
  }
  return out + ")";
}

std::string header(const Graph& graph) {
  return "graph " + quoted(graph.name) + " " + typed_list(graph, graph.inputs) + " -> " +
         typed_list(graph, graph.outputs) + "\n";
}

std::string line(const Graph& graph, const Node& node, std::vector<std::uint8_t>& shown) {
  std::string out;
  for (ValueId id : node.outputs) {
    if (!out.empty()) out += ", ";
    out += id == no_value ? "_" : show_name(graph.name_of(id));
  }
  out += " = " + (node.domain.empty() ? "" : node.domain + ".") + node.op + "(";
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const ValueId id = node.inputs[i];
    if (i != 0) out += ", ";
    if (id == no_value) {
      out += "_";
      continue;
    }
    const Value& value = value_of(graph, id);
    out += show_name(value.name);
    if (value.initializer < 0 || shown[static_cast<std::size_t>(id)]) continue;
    shown[static_cast<std::size_t>(id)] = 1;
    out += ": " + show_type(graph.initializers[static_cast<std::size_t>(value.initializer)].tensor);
  }
  out += ")";
  std::string attributes;
  for (const Attribute& attribute : node.attributes) {
    if (!attributes.empty()) attributes += ", ";
    attributes += show_attribute(attribute);
  }
  return attributes.empty() ? out : out + " {" + attributes + "}";
}

std::vector<const Graph*> subgraphs(const Node& node) {
  std::vector<const Graph*> out;
  for (const Attribute& attribute : node.attributes) {
    if (const auto* one = std::get_if<GraphPtr>(&attribute.value)) {
      if (*one) out.push_back(one->get());
    } else if (const auto* many = std::get_if<std::vector<GraphPtr>>(&attribute.value)) {
      for (const GraphPtr& graph : *many)
        if (graph) out.push_back(graph.get());
    }
  }
  return out;
}

// A graph that is being printed, and the node that comes next.
struct Frame {
  const Graph* graph;
  std::size_t node = 0;
  std::vector<std::uint8_t> shown;
};

}  // namespace

std::string to_text(const Graph& graph) {
  std::string out = header(graph);
  std::vector<Frame> stack;
  std::vector<const Graph*> waiting;
  stack.push_back({&graph, 0, std::vector<std::uint8_t>(graph.values.size(), 0)});
  // Subgraphs of the node just printed wait behind a null, in reverse order.
  while (!stack.empty()) {
    Frame& frame = stack.back();
    if (frame.node == frame.graph->nodes.size()) {
      stack.pop_back();
      if (!waiting.empty() && waiting.back() != nullptr) {
        const Graph* next = waiting.back();
        waiting.pop_back();
        out += std::string(2 * stack.size(), ' ') + header(*next);
        stack.push_back({next, 0, std::vector<std::uint8_t>(next->values.size(), 0)});
      } else if (!waiting.empty()) {
        waiting.pop_back();
      }
      continue;
    }
    const Node& node = frame.graph->nodes[frame.node++];
    out += std::string(2 * (stack.size() - 1), ' ') + line(*frame.graph, node, frame.shown) + "\n";
    const std::vector<const Graph*> inner = subgraphs(node);
    if (inner.empty()) continue;
    waiting.push_back(nullptr);
    for (std::size_t i = inner.size(); i-- > 1;) waiting.push_back(inner[i]);
    out += std::string(2 * stack.size(), ' ') + header(*inner[0]);
    stack.push_back({inner[0], 0, std::vector<std::uint8_t>(inner[0]->values.size(), 0)});
  }
  return out;
}

}  // namespace coppice::graph
