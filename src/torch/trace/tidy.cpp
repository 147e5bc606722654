#include "torch/trace/tidy.hpp"

#include <algorithm>
#include <vector>

#include "coppice/base/at.hpp"

namespace coppice::tracing {

void drop_unused(graph::Graph& graph) {
  using graph::ValueId;
  std::vector<std::uint8_t> needed(graph.values.size(), 0);
  const auto need = [&](const std::vector<ValueId>& ids) {
    for (const ValueId id : ids)
      if (id != graph::no_value) needed[at(id)] = 1;
  };
  need(graph.inputs);
  need(graph.outputs);
  std::vector<graph::Node> nodes;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const bool live = std::any_of(node->outputs.begin(), node->outputs.end(),
                                  [&](ValueId id) { return id != graph::no_value && needed[at(id)] != 0; });
    if (!live) continue;
    need(node->inputs);
    need(node->outputs);
    nodes.push_back(std::move(*node));
  }
  std::reverse(nodes.begin(), nodes.end());
  graph.nodes = std::move(nodes);
  std::erase_if(graph.initializers, [&](const graph::Initializer& each) { return needed[at(each.value)] == 0; });

  std::vector<ValueId> ids(graph.values.size(), graph::no_value);
  std::vector<graph::Value> values;
  graph.index.clear();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (needed[i] == 0) continue;
    ids[i] = static_cast<ValueId>(values.size());
    graph.index.emplace(graph.values[i].name, ids[i]);
    values.push_back(std::move(graph.values[i]));
  }
  graph.values = std::move(values);
  const auto renumber = [&](std::vector<ValueId>& list) {
    for (ValueId& id : list)
      if (id != graph::no_value) id = ids[at(id)];
  };
  for (graph::Node& node : graph.nodes) {
    renumber(node.inputs);
    renumber(node.outputs);
  }
  for (graph::Initializer& each : graph.initializers) each.value = ids[at(each.value)];
  renumber(graph.inputs);
  renumber(graph.outputs);
  graph.reindex();
}

}  // namespace coppice::tracing
