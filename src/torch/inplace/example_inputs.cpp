#include "torch/inplace/example_inputs.hpp"

#include <torch/nn/functional.h>
#include <torch/nn/modules.h>

#include "coppice/base/error.hpp"
#include "coppice/torch/graph_module.hpp"

namespace coppice::inplace {

std::vector<at::Tensor> usual_inputs(torch::nn::Module& module) {
  if (dynamic_cast<GraphModule*>(&module)) return {};
  for (const auto& child : module.modules()) {
    if (auto* conv = child->as<torch::nn::Conv2dImpl>())
      return {at::ones({1, conv->options.in_channels(), 224, 224}, conv->weight.options().requires_grad(false))};
    if (auto* linear = child->as<torch::nn::LinearImpl>())
      return {at::ones({1, linear->options.in_features()}, linear->weight.options().requires_grad(false))};
    if (child->parameters(false).size() > 0) break;
  }
  throw Error(
      "example_inputs: expected tensors like those that the module takes, found none, and the module begins "
      "with neither a Conv2d nor a Linear that would tell");
}

}  // namespace coppice::inplace
