#pragma once
#include <string>

#include "coppice/graph/graph.hpp"

namespace coppice::inplace {

/// The places where a cut had to change a number in the graph, such as the extents of a reshape: the code that was
/// traced must compute these numbers from the widths of its tensors. `Reshape "view": 1x512 becomes 1x358`, at most
/// `most` of them, separated by "; "; empty when there are none.
std::string changed_literals(const graph::Graph& before, const graph::Graph& after, std::size_t most = 3);

}  // namespace coppice::inplace
