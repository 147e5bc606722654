#include "coppice/torch/export_onnx.hpp"

#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"

#include "torch/trace/any_batch.hpp"

namespace coppice {
namespace {

void refuse_unmapped(const graph::Model& model) {
  const std::vector<std::string> names = unmapped_operators(model);
  if (names.empty()) return;
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  throw Error("no ONNX operators stand for: " + list);
}

// The batch's rows again from the first on, until there are `size` of them.
at::Tensor grown(const at::Tensor& input, std::int64_t axis, std::int64_t size) {
  const at::Tensor rows = at::arange(size, at::TensorOptions(at::kLong).device(input.device()));
  return input.detach().index_select(axis, rows.remainder(input.size(axis)));
}

}  // namespace

graph::Model onnx_model(const Callable& module, const std::vector<at::Tensor>& example_inputs,
                        const ExportOptions& options) {
  graph::Model model = trace(module, example_inputs, options.trace);
  refuse_unmapped(model);
  if (!options.dynamic_batch) return model;
  const std::int64_t axis = options.batch_axis;
  if (example_inputs.empty() || axis < 0 || example_inputs[0].dim() <= axis || example_inputs[0].size(axis) == 0)
    throw Error("the first example input has no batch along its axis " + std::to_string(axis));
  const std::int64_t size = example_inputs[0].size(axis);
  std::vector<at::Tensor> inputs = example_inputs;
  for (at::Tensor& input : inputs)
    if (input.dim() > axis && input.size(axis) == size) input = grown(input, axis, size + 1);
  const graph::Model second = trace(module, inputs, options.trace);
  return tracing::any_batch({model, second, axis, size, size + 1});
}

void export_onnx(const Callable& module, const std::vector<at::Tensor>& example_inputs, const std::string& path,
                 const ExportOptions& options) {
  formats::write_onnx(onnx_model(module, example_inputs, options), path);
}

}  // namespace coppice
