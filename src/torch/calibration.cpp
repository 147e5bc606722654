#include "coppice/torch/calibration.hpp"

#include <string>

#include <ATen/core/Reduction.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/mse_loss.h>

#include "coppice/base/error.hpp"

#include "torch/class_axis.hpp"
#include "torch/messages.hpp"

namespace coppice {
namespace {

const at::Tensor& first(const std::vector<at::Tensor>& outputs) {
  if (outputs.empty()) throw Error("expected an output to take the loss of, found none");
  return outputs.front();
}

// Broadcasting would hide that the shapes differ.
void expect_same_shape(const char* loss, const at::Tensor& output, const at::Tensor& target) {
  if (output.sizes() != target.sizes())
    throw Error(std::string(loss) + ": expected a target of the output's shape " + shape_text(output.sizes()) +
                ", found " + shape_text(target.sizes()));
}

}  // namespace

Calibration::~Calibration() = default;

Loss cross_entropy(double label_smoothing) {
  if (!(label_smoothing >= 0 && label_smoothing < 1))
    throw Error("label smoothing: expected 0 to below 1, found " + std::to_string(label_smoothing));
  return [label_smoothing](const std::vector<at::Tensor>& outputs, const at::Tensor& target) {
    const bool classes = !target.is_floating_point();
    return at::cross_entropy_loss(classes_second(first(outputs), target), classes ? target.to(at::kLong) : target, {},
                                  at::Reduction::Mean, -100, label_smoothing);
  };
}

Loss mse() {
  return [](const std::vector<at::Tensor>& outputs, const at::Tensor& target) {
    expect_same_shape("mse", first(outputs), target);
    return at::mse_loss(first(outputs), target.to(first(outputs).scalar_type()));
  };
}

Loss binary_cross_entropy() {
  return [](const std::vector<at::Tensor>& outputs, const at::Tensor& target) {
    expect_same_shape("binary cross-entropy", first(outputs), target);
    return at::binary_cross_entropy_with_logits(first(outputs), target.to(first(outputs).scalar_type()));
  };
}

}  // namespace coppice
