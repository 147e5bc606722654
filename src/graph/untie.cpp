#include "coppice/graph/untie.hpp"

#include <algorithm>
#include <unordered_map>

#include "coppice/base/at.hpp"

#include "graph/same.hpp"

namespace coppice::graph {
namespace {

// A vector in any orientation, long enough to carry units, of a type that weights come in.
bool is_vector(const Tensor& tensor) {
  if (tensor.dtype == DType::int64 || tensor.dtype == DType::string || tensor.dtype == DType::boolean) return false;
  const auto longer = std::count_if(tensor.shape.begin(), tensor.shape.end(), [](std::int64_t d) { return d != 1; });
  return longer == 1;
}

void erase_nodes(Graph& graph, const std::vector<std::uint8_t>& gone) {
  std::size_t next = 0;
  std::erase_if(graph.nodes, [&](const Node&) { return gone[next++] != 0; });
}

}  // namespace

std::vector<UntiedUse> untie(Graph& graph) {
  std::vector<UntiedUse> untied;
  std::vector<std::uint8_t> gone(graph.nodes.size(), 0);
  bool any_gone = false;
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = graph.nodes[i];
    if (!node.is("Identity") || node.outputs.size() != 1 || node.outputs[0] == no_value) continue;
    const Value& alias = graph.values[at(node.outputs[0])];
    const Tensor* source = graph.constant(node.input(0));
    if (!source || alias.is_output || source->dtype == DType::string) continue;
    const std::int32_t from = graph.values[at(node.inputs[0])].initializer;
    Initializer copy{
        .value = node.outputs[0], .tensor = *source, .external = from >= 0 && graph.initializers[at(from)].external};
    graph.values[at(copy.value)].initializer = static_cast<std::int32_t>(graph.initializers.size());
    graph.values[at(copy.value)].producer = -1;
    untied.push_back({node.inputs[0], copy.value, std::move(node)});
    graph.initializers.push_back(std::move(copy));
    gone[i] = 1;
    any_gone = true;
  }
  if (any_gone) {
    erase_nodes(graph, gone);
    graph.reindex();
  }
  std::vector<std::uint8_t> used(graph.values.size(), 0);
  for (Node& node : graph.nodes) {
    for (ValueId& input : node.inputs) {
      if (input == no_value || at(input) >= used.size()) continue;
      if (!used[at(input)]) {
        used[at(input)] = 1;
        continue;
      }
      const Tensor* tensor = graph.constant(input);
      if (!tensor || !is_vector(*tensor)) continue;
      const ValueId original = input;
      const std::int32_t from = graph.values[at(original)].initializer;
      Tensor shared = *tensor;
      const bool external = from >= 0 && graph.initializers[at(from)].external;
      input = graph.fresh(graph.values[at(original)].name);
      graph.add_initializer(graph.values[at(input)].name, std::move(shared));
      graph.initializers.back().external = external;
      untied.push_back({original, input, std::nullopt});
    }
  }
  return untied;
}

void retie(Graph& graph, const std::vector<UntiedUse>& untied) {
  if (untied.empty()) return;
  graph.reindex();
  std::unordered_map<ValueId, std::vector<ValueId>> families;  // original -> representatives so far
  std::unordered_map<ValueId, ValueId> redirect;
  std::vector<Node> identities;
  std::vector<std::uint8_t> dropped(graph.values.size(), 0);
  for (const UntiedUse& use : untied) {
    if (graph.values[at(use.copy)].initializer < 0) continue;
    auto& family = families[use.original];
    if (family.empty() && graph.constant(use.original)) family.push_back(use.original);
    const Tensor& mine = *graph.constant(use.copy);
    const auto twin =
        std::find_if(family.begin(), family.end(), [&](ValueId id) { return same(*graph.constant(id), mine); });
    if (twin == family.end()) {
      family.push_back(use.copy);
      continue;
    }
    dropped[at(use.copy)] = 1;
    if (use.identity) {
      identities.push_back(*use.identity);
      identities.back().inputs[0] = *twin;
    } else {
      redirect[use.copy] = *twin;
    }
  }
  for (Node& node : graph.nodes)
    for (ValueId& input : node.inputs)
      if (const auto it = redirect.find(input); it != redirect.end()) input = it->second;
  std::erase_if(graph.initializers, [&](const Initializer& i) { return dropped[at(i.value)] != 0; });
  graph.nodes.insert(graph.nodes.begin(), std::make_move_iterator(identities.begin()),
                     std::make_move_iterator(identities.end()));
  graph.sort();
}

}  // namespace coppice::graph
