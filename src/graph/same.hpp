#pragma once
#include "coppice/graph/graph.hpp"

namespace coppice::graph {

/// Equal types, shapes and bytes.
bool same(const Tensor& a, const Tensor& b);
/// Equal operators, operands, results and attributes; subgraphs are compared by identity, names not at all.
bool same(const Node& a, const Node& b);

}  // namespace coppice::graph
