#pragma once
#include "coppice/graph/graph.hpp"

namespace coppice::tracing {

/// Drops the nodes, initializers and values that no output needs. Inputs stay. Ids change.
void drop_unused(graph::Graph& graph);

}  // namespace coppice::tracing
