#pragma once
#include <cstdint>
#include <vector>

#include "coppice/graph/control_flow.hpp"

#include "graph/control_flow_course.hpp"
#include "graph/subgraph_clone.hpp"

namespace coppice::graph {

/// Whether a node makes or reads a list of tensors (a sequence).
bool is_list_op(const Node& node);

/// Replaces the nodes around every list whose elements and readers are all known: readers read the elements directly,
/// and what made the list makes an empty one that nobody reads. Regions are appended, a group for all lists that are
/// made from one another. Whether anything was replaced. `nodes_left` bounds how many nodes are added.
bool resolve_lists(Model& model, Names& names, const Witnesses& witnesses, std::vector<ResolvedRegion>& regions,
                   std::int64_t& nodes_left);

}  // namespace coppice::graph
