#pragma once
#include <cstdint>
#include <optional>

#include "coppice/graph/control_flow.hpp"

#include "graph/control_flow_course.hpp"
#include "graph/subgraph_clone.hpp"

namespace coppice::graph {

/// Nodes that copying this body once adds, nested ones included; a node with long lists counts as several.
std::int64_t weight_of(const Graph& body);

/// What stands for `node` when it takes this course. Values and initializers are added to the model's graph, its nodes
/// are left as they are. Nothing, and no change, when that can't be written down: a result of no iteration whose type
/// is not known, or a body that is not well-formed.
std::optional<ResolvedRegion> resolve_node(Model& model, Names& names, const Node& node, const Course& course);

}  // namespace coppice::graph
