#pragma once
#include "coppice/graph/model.hpp"

namespace coppice::graph {

/// Replaces every call of a model-local function by the function's body, subgraphs included, until none is left, then
/// drops the functions. Attribute references take the call's value, else the function's default, else vanish; absent
/// optional inputs stay absent; new names are unique in the whole model and begin with the call's name. Operator sets
/// that only functions imported are imported by the model; where versions differ, the model's stays.
/// (Function bodies: "Functions" in https://github.com/onnx/onnx/blob/main/docs/IR.md.)
/// Throws Error naming the function when functions call each other in a circle, when a call has more operands than its
/// function, or when the result would be unreasonably large. The model is left unchanged by an Error.
void inline_functions(Model& model);

}  // namespace coppice::graph
