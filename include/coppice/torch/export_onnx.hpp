#pragma once
#include <string>
#include <vector>

#include "coppice/torch/trace.hpp"

namespace coppice {

struct ExportOptions {
  TraceOptions trace{};
  /// Let the batch vary: the axis `batch_axis` of the first input, and of every other input that is as long there.
  bool dynamic_batch = false;
  std::int64_t batch_axis = 0;
};

/// The model that export_onnx() writes. With `dynamic_batch` the module is traced a second time with a batch of another
/// size, and what differs between the two is computed from the input's shape; the dimension is called "batch".
/// Throws Error as trace() does, listing the operators that ONNX does not have, and naming the node where a batch of
/// any size is not possible.
graph::Model onnx_model(const Callable& module, const std::vector<at::Tensor>& example_inputs,
                        const ExportOptions& options = {});

/// Writes what the module computes as an ONNX file (opset 17), whose initializers are named by the parameters' paths.
/// On failure there is no new file.
void export_onnx(const Callable& module, const std::vector<at::Tensor>& example_inputs, const std::string& path,
                 const ExportOptions& options = {});

}  // namespace coppice
