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

// libtorch's own sign for samples that do not count.
constexpr std::int64_t no_class = -100;

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

// In words, where libtorch refused the two.
void explain_refusal(const at::Tensor& logits, const at::Tensor& target) {
  if (logits.dim() < 1) return;
  const bool classes = !target.is_floating_point();
  std::vector<std::int64_t> places = logits.sizes().vec();
  if (classes) places.erase(places.begin() + (logits.dim() > 1));
  if (target.sizes() != at::IntArrayRef(places))
    throw Error("cross-entropy: expected " +
                std::string(classes ? "classes in the shape " : "floating-point targets of the output's shape ") +
                shape_text(places) + ", found " + shape_text(target.sizes()));
  if (!classes || target.numel() == 0) return;
  const std::int64_t count = logits.size(logits.dim() > 1), greatest = target.max().item<std::int64_t>(),
                     least = target.masked_fill(target == no_class, 0).min().item<std::int64_t>();
  if (least < 0 || greatest >= count)
    throw Error("cross-entropy: expected classes from 0 to " + std::to_string(count - 1) + ", for the output has " +
                std::to_string(count) + ", found " + std::to_string(greatest >= count ? greatest : least));
}

}  // namespace

Calibration::~Calibration() = default;

Loss cross_entropy(double label_smoothing) {
  if (!(label_smoothing >= 0 && label_smoothing < 1))
    throw Error("label smoothing: expected 0 to below 1, found " + std::to_string(label_smoothing));
  return [label_smoothing](const std::vector<at::Tensor>& outputs, const at::Tensor& target) {
    const bool classes = !target.is_floating_point();
    const at::Tensor logits = classes_second(first(outputs), target);
    try {
      return at::cross_entropy_loss(logits, classes ? target.to(at::kLong) : target, {}, at::Reduction::Mean, no_class,
                                    label_smoothing);
    } catch (const c10::Error&) {
      explain_refusal(logits, target);
      throw;
    }
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
