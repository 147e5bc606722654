#pragma once
#include <string>
#include <vector>

#include "coppice/graph/model.hpp"
#include "coppice/torch/callable.hpp"

namespace coppice {

struct TraceOptions {
  /// Trace the module as it is after eval(): dropout vanishes, batch norm takes its running statistics. Otherwise every
  /// submodule is traced in the mode that it is in.
  bool evaluation = true;
  std::string name = "main";  ///< Of the graph.
};

/// The graph of what the module computes on these inputs, in ONNX's operators (opset 17), recorded by libtorch's tracer
/// while the module runs once, without gradients.
///
/// Parameters and buffers that take part are initializers named by their path ("layer1.0.conv1.weight") that share the
/// module's memory: later changes in place show in the graph. What is read under two names is one initializer. Nodes
/// are named by the path of the module whose parameters they read ("layer1.0.conv1"), others by their operator. Inputs
/// are "input", "input_1"..., outputs "output", "output_1"..., with the shapes and types of this run; sizes that the
/// module computes are literals.
///
/// An operator of libtorch that has no counterpart here becomes a node of the domain "aten" under its own name
/// (unmapped_operators() lists them): the graph stays sound for pruning, which locks what such a node touches.
///
/// The module is left as it was: training flags, parameters, buffers bit for bit, and the default generators' states.
/// Throws Error with what the module's forward() throws, when it writes to a parameter (which stays written), when an
/// output does not depend on the inputs or parameters, and when parameters or inputs are on different devices.
graph::Model trace(const Callable& module, const std::vector<at::Tensor>& example_inputs,
                   const TraceOptions& options = {});

/// Each node of the domain "aten" as `aten.name "node"`, in order.
std::vector<std::string> unmapped_operators(const graph::Model& model);

}  // namespace coppice
