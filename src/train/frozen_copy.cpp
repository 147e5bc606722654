#include "coppice/base/error.hpp"
#include "coppice/torch/export_onnx.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/train/distillation.hpp"

#include "torch/messages.hpp"

namespace coppice {
namespace {

template <class Module>
std::shared_ptr<Module> frozen(std::shared_ptr<Module> module) {
  module->eval();
  for (at::Tensor& parameter : module->parameters()) parameter.set_requires_grad(false);
  return module;
}

// Where the original is, and in its type.
std::shared_ptr<GraphModule> copy(graph::Model model, const torch::nn::Module& original) {
  auto out = std::make_shared<GraphModule>(std::move(model));
  for (const auto& item : original.named_parameters()) {
    if (item.value().is_floating_point() && item.value().scalar_type() != at::kFloat)
      out->to(item.value().scalar_type());
    out->to(item.value().device());
    break;
  }
  return frozen(std::move(out));
}

}  // namespace

Callable frozen_copy(const Callable& model, const std::vector<at::Tensor>& example_inputs) {
  if (const auto* graph = dynamic_cast<const GraphModule*>(&model.module()))
    return Callable(copy(graph->model(), model.module()));
  return Callable(copy(onnx_model(model, example_inputs, {.dynamic_batch = true}), model.module()));
}

std::shared_ptr<torch::nn::Module> distillation::frozen_clone(const torch::nn::Module& module) {
  if (const auto* graph = dynamic_cast<const GraphModule*>(&module)) return copy(graph->model(), module);
  try {
    return frozen(module.clone());
  } catch (const c10::Error& error) {
    throw Error("copy of a module: expected one with clone(), such as a torch::nn::Cloneable, found: " +
                first_line(error));
  }
}

}  // namespace coppice
