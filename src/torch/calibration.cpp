#include "coppice/torch/calibration.hpp"

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/mse_loss.h>

#include "coppice/base/error.hpp"

namespace coppice {
namespace {

const at::Tensor& first(const std::vector<at::Tensor>& outputs) {
  if (outputs.empty()) throw Error("expected an output to take the loss of, found none");
  return outputs.front();
}

}  // namespace

Loss cross_entropy() {
  return [](const std::vector<at::Tensor>& outputs, const at::Tensor& target) {
    const bool classes = !target.is_floating_point();
    return at::cross_entropy_loss(first(outputs), classes ? target.to(at::kLong) : target);
  };
}

Loss mse() {
  return [](const std::vector<at::Tensor>& outputs, const at::Tensor& target) {
    const at::Tensor& output = first(outputs);
    // Broadcasting would hide that the shapes differ.
    if (output.sizes() != target.sizes())
      throw Error("mse: expected a target of the output's shape, found " + std::to_string(target.dim()) + " and " +
                  std::to_string(output.dim()) + " dimensions or other extents");
    return at::mse_loss(output, target.to(output.scalar_type()));
  };
}

}  // namespace coppice
