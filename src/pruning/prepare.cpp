#include "coppice/pruning/prepare.hpp"

#include <algorithm>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/base/nearest.hpp"
#include "coppice/graph/passes.hpp"

namespace coppice::pruning {
namespace {

// Keeps the named outputs and the nodes that lead to them.
void keep_outputs(graph::Graph& graph, const std::vector<std::string>& names) {
  std::vector<graph::ValueId> kept;
  for (const std::string& name : names) {
    const auto it = std::find_if(graph.outputs.begin(), graph.outputs.end(),
                                 [&](graph::ValueId o) { return graph.values[at(o)].name == name; });
    if (it == graph.outputs.end()) {
      std::string found;
      for (graph::ValueId o : graph.outputs) found += (found.empty() ? "" : ", ") + graph.values[at(o)].name;
      throw Error("no graph output is named \"" + name + "\"; the outputs are " + found);
    }
    kept.push_back(*it);
  }
  graph.outputs = kept;
  std::vector<std::uint8_t> needed(graph.values.size(), 0);
  for (graph::ValueId o : kept) needed[at(o)] = 1;
  std::vector<std::uint8_t> live(graph.nodes.size(), 0);
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    const graph::Node& node = graph.nodes[i];
    const bool used = std::any_of(node.outputs.begin(), node.outputs.end(),
                                  [&](graph::ValueId o) { return o != graph::no_value && needed[at(o)]; });
    if (!used) continue;
    live[i] = 1;
    for (graph::ValueId v : node.inputs)
      if (v != graph::no_value) needed[at(v)] = 1;
    for (const std::string& name : graph::captured_names(node))
      if (const graph::ValueId v = graph.find(name); v != graph::no_value) needed[at(v)] = 1;
  }
  std::size_t next = 0;
  std::erase_if(graph.nodes, [&](const graph::Node&) { return live[next++] == 0; });
  std::erase_if(graph.inputs, [&](graph::ValueId v) {
    return graph.values[at(v)].initializer >= 0 && needed[at(v)] == 0;  // or it would have to be fed
  });
  std::erase_if(graph.initializers, [&](const graph::Initializer& i) { return needed[at(i.value)] == 0; });
  graph.reindex();
}

void check_shape_names(const graph::Graph& graph, const PrepareOptions& options) {
  for (const auto& [name, shape] : options.shapes) {
    const graph::ValueId id = graph.find(name);
    if (id != graph::no_value && graph.values[at(id)].is_input) continue;
    std::string inputs;
    for (graph::ValueId i : graph.inputs)
      if (graph.values[at(i)].initializer < 0) inputs += (inputs.empty() ? "" : ", ") + graph.values[at(i)].name;
    throw Error("no graph input is named \"" + name + "\"; the inputs are " + inputs);
  }
}

}  // namespace

Prepared prepare(graph::Model model, const PrepareOptions& options) {
  Prepared out;
  out.model = std::move(model);
  graph::Graph& graph = out.model.graph;
  graph::inline_functions(out.model);
  graph.sort();
  if (!options.outputs.empty()) keep_outputs(graph, options.outputs);
  check_shape_names(graph, options);
  out.regions = graph::resolve_control_flow(out.model, options.shapes);
  if (options.untie) out.untied = graph::untie(graph);
  out.worlds = graph::choose_worlds(out.model, options.shapes);
  // Numbers with many divisors, so that reshapes of data-dependent extents come out even.
  out.worlds.first.data_extent = out.worlds.counting.data_extent = 840;
  out.worlds.second.data_extent = 1260;
  out.first = graph::infer_tolerant(out.model, graph, out.worlds.first, &out.problems);
  out.worlds.dynamic = out.worlds.dynamic || out.first.data_dependent;
  if (out.worlds.dynamic) {
    std::vector<std::string> ignored;
    out.second = graph::infer_tolerant(out.model, graph, out.worlds.second, &ignored);
    out.counting = graph::infer_tolerant(out.model, graph, out.worlds.counting, &ignored);
  } else {
    out.counting = out.first;
  }
  out.roles = graph::constant_roles(graph);
  out.couplings = coupling::couple(out.model, out.first, options.coupling, options.demands);
  return out;
}

}  // namespace coppice::pruning
