#include <cmath>

#include "coppice/base/error.hpp"
#include "coppice/torch/layer_sparsity.hpp"

#include "torch/messages.hpp"

namespace coppice {

InputMoments::InputMoments(std::int64_t inputs, bool products) : products_(products) {
  const auto options = at::TensorOptions().dtype(at::kDouble);
  sum_ = products ? at::zeros({inputs, inputs}, options) : at::zeros({inputs}, options);
}

void InputMoments::add(const at::Tensor& samples) {
  if (samples.dim() != 2 || samples.size(1) != sum_.size(0))
    throw Error("inputs: expected samples of " + std::to_string(sum_.size(0)) + " numbers, found " +
                shape_text(samples.sizes()));
  const at::Tensor wide = samples.detach().to(at::kDouble);
  if (sum_.device() != wide.device()) sum_ = sum_.to(wide.device());
  const at::Tensor squares = wide.square().sum(0);
  if (!squares.isfinite().all().item<bool>()) throw Error("inputs: expected finite numbers, found others");
  if (products_)
    sum_.addmm_(wide.t(), wide);
  else
    sum_.add_(squares);
  samples_ += samples.size(0);
}

at::Tensor InputMoments::norms() const {
  if (samples_ == 0) throw Error("inputs: expected samples, found none");
  return ((products_ ? sum_.diagonal() : sum_) / static_cast<double>(samples_)).sqrt();
}

at::Tensor InputMoments::hessian() const {
  if (samples_ == 0) throw Error("inputs: expected samples, found none");
  if (!products_) throw Error("inputs: expected the products of all pairs, found squares alone");
  return sum_ * (2 / static_cast<double>(samples_));
}

}  // namespace coppice
