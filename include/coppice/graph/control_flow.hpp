#pragma once
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "coppice/graph/infer.hpp"
#include "coppice/graph/model.hpp"

namespace coppice::graph {

/// A control-flow node that takes the same course in every run, and what stands in the graph in its place.
struct ResolvedRegion {
  Node node;                              ///< As it was.
  std::vector<Node> nodes;                ///< As they were put in, in order; they compute the node's outputs.
  std::vector<Initializer> initializers;  ///< As they were put in: those of the subgraphs, loop counters.
  /// Regions of one group stand behind each other and come back together or not at all; -1: a region of its own.
  std::int32_t group = -1;
};

/// Replaces, in the outermost graph, every `If` whose condition and every `Loop` whose trip count follow from shapes
/// and literals alone by the nodes that it runs, until none is left: what one of them computes may decide the next.
/// Conditions must be known and the same however the dynamic dimensions are chosen (`given` as for choose_worlds()).
/// A loop of more than 256 iterations, or of more than 20,000 nodes over all loops, stays, as do those that depend on
/// data, and Scan. Lists of tensors (sequences) whose elements and readers' positions are known that way become plain
/// values: their elements are read directly, and what made them makes an empty list that nobody reads. New names begin
/// with the node's name and are unique in the whole model; nested subgraphs follow; bytes are shared. The graph ends up
/// sorted. Costs nothing for a model without If and Loop. (Semantics: "If" and "Loop" in
/// https://github.com/onnx/onnx/blob/main/docs/Operators.md.)
std::vector<ResolvedRegion> resolve_control_flow(Model& model, const std::vector<std::pair<std::string, Shape>>& given);

/// The same for worlds that are known already.
std::vector<ResolvedRegion> resolve_control_flow_in(const Worlds& worlds, Model& model);

/// The reverse before writing. A region comes back as the node that it was when nothing in it has changed: its nodes
/// and initializers are as they were put in, no other node reads what is inside, and `same(value)` says of every value
/// that the region or the node reads or computes that its shape and content are what they were (no function: they
/// are). Any other region stays as it is, without what only its node needed. The graph ends up sorted.
void restore_control_flow(Graph& graph, const std::vector<ResolvedRegion>& regions,
                          const std::function<bool(ValueId)>& same = {});

}  // namespace coppice::graph
