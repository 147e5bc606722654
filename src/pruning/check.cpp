#include "pruning/check.hpp"

#include <string>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"

#include "pruning/kept_extents.hpp"

namespace coppice::pruning {
namespace {

/// The shape that a value is to have; empty extents (-1) where nothing is known before the cut.
graph::Shape expected(const Prepared& prepared, KeptExtents& extents, graph::ValueId value) {
  graph::Shape out = prepared.first[at(value)].shape;
  const auto axes = prepared.couplings.axes(value);
  for (std::size_t k = 0; k < axes.size() && k < out.size(); ++k) {
    if (axes[k].tracked()) out[k] = extents.axis(axes[k]);
  }
  return out;
}

bool agrees(const graph::Shape& want, const graph::Fact& found) {
  if (!found.ranked || found.shape.size() != want.size()) return false;
  for (std::size_t k = 0; k < want.size(); ++k) {
    if (want[k] >= 0 && found.shape[k] != want[k]) return false;
  }
  return true;
}

}  // namespace

void check_cut(const Prepared& prepared, std::span<const std::uint8_t> removed, const graph::Model& result) {
  // Nodes that contradicted themselves before the cut still do; everything else shows in the shapes.
  std::vector<std::string> problems;
  graph::Model unfolded;  // inference does not look into subgraphs
  if (!prepared.regions.empty()) {
    unfolded = result;
    graph::resolve_control_flow_in(prepared.worlds, unfolded);
  }
  const graph::Model& model = prepared.regions.empty() ? result : unfolded;
  const graph::Facts facts = graph::infer_tolerant(model, model.graph, prepared.worlds.first, &problems);
  const graph::Graph& before = prepared.model.graph;
  KeptExtents extents(prepared.couplings, removed);
  for (std::size_t i = 0; i < before.values.size(); ++i) {
    const auto value = static_cast<graph::ValueId>(i);
    if (!prepared.couplings.ranked(value) || !prepared.first[i].ranked) continue;
    const graph::ValueId now = model.graph.find(before.values[i].name);
    if (now == graph::no_value) continue;
    const graph::Value& kept = model.graph.values[at(now)];
    // Shape arithmetic that nobody reads any more is gone.
    if (kept.producer < 0 && kept.initializer < 0 && !kept.is_input) continue;
    const graph::Shape want = expected(prepared, extents, value);
    const graph::Fact& found = facts[at(now)];
    if (agrees(want, found)) continue;
    throw Error("check of the cut: \"" + kept.name + "\": expected shape " + tensor::to_string(want) + ", found " +
                (found.ranked ? tensor::to_string(found.shape) : "none"));
  }
}

}  // namespace coppice::pruning
