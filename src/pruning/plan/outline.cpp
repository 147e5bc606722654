#include "coppice/base/at.hpp"
#include "coppice/graph/parameters.hpp"
#include "coppice/pruning/plan.hpp"

namespace coppice::pruning {
namespace {

void append(std::string& list, const std::string& item) {
  list += (list.empty() ? "" : ", ") + item;
}

std::string names(const graph::Graph& graph, const std::vector<graph::ValueId>& values) {
  std::string out;
  for (graph::ValueId value : values)
    if (graph.values[at(value)].initializer < 0) append(out, graph.values[at(value)].name);
  return out;
}

}  // namespace

std::map<std::string, std::string> outline(const graph::Model& model) {
  const graph::Graph& graph = model.graph;
  std::map<std::string, std::string> out{{"inputs", names(graph, graph.inputs)},
                                         {"outputs", names(graph, graph.outputs)}};
  std::map<std::string, std::int64_t> sets;
  for (const graph::OpsetImport& import : model.opsets) sets[import.domain] = import.version;
  for (const auto& [domain, version] : sets)
    append(out["operator sets"], (domain.empty() ? "" : domain + " ") + std::to_string(version));
  std::map<std::string, std::int64_t> operators;
  for (const graph::Node& node : graph.nodes) ++operators[(node.domain.empty() ? "" : node.domain + ".") + node.op];
  for (const auto& [op, count] : operators) append(out["operators"], op + " x " + std::to_string(count));
  std::int64_t constants = 0, elements = 0;
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    const graph::Tensor* tensor = graph.constant(static_cast<graph::ValueId>(i));
    if (!tensor) continue;
    ++constants;
    elements += tensor->elements();
  }
  out["parameters"] = std::to_string(constants) + " constants with " + std::to_string(elements) + " elements";
  return out;
}

}  // namespace coppice::pruning
