#pragma once
#include <string>

#include "coppice/graph/graph.hpp"

namespace coppice::graph {

/// The graph as text, one line a node:
///     graph "main" (x: float32[N,3,224,224]) -> (y: float32[N,1000])
///     h = Conv(x, fc.weight: float32[64,3,7,7]) {strides=[2,2]}
/// Initializers show their type at their first use; an absent operand is "_"; names that are not plain are quoted.
/// Large attributes are shown by type and shape alone; subgraphs follow their node, indented.
std::string to_text(const Graph& graph);

/// The graph in Graphviz's dot language: a box a node, an edge a value; initializers and constants are left out.
/// Subgraphs are not drawn, what they capture is.
std::string to_dot(const Graph& graph);

}  // namespace coppice::graph
