#pragma once
#include "coppice/graph/model.hpp"

namespace coppice::pruning {

/// Before version 4 of ONNX's IR every initializer is listed among the graph's inputs as well, and later it may be:
/// lists what was added to `model` (where its version asks for it), and drops what is no initializer any more, which
/// would turn into an input that somebody has to feed. `before` is the graph that `model` was made from.
void list_initializers(graph::Model& model, const graph::Graph& before);

}  // namespace coppice::pruning
