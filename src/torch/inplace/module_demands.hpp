#pragma once
#include "coppice/coupling/couplings.hpp"
#include "coppice/graph/graph.hpp"
#include "coppice/torch/libtorch.hpp"

namespace coppice::inplace {

/// What the code of a module asks of the graph that was traced from it:
/// - MultiheadAttention computes the width of a head from the width of its input, so neither can change alone.
/// - The layers and directions of a recurrent module share one hidden_size, and one proj_size; so do the gates of a
/// cell.
/// - Tensors that the code holds without having registered them cannot be exchanged. Those that tracing made for a
///   GroupNorm can: they follow num_groups.
coupling::Demands module_demands(torch::nn::Module& root, const graph::Graph& graph);

}  // namespace coppice::inplace
