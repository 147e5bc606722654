#include "torch/verify/measure.hpp"

#include <limits>

namespace coppice::verifying {

double distance(const at::Tensor& expected, const at::Tensor& found) {
  constexpr double infinite = std::numeric_limits<double>::infinity();
  if (expected.scalar_type() != found.scalar_type() || expected.sizes() != found.sizes()) return infinite;
  if (expected.numel() == 0) return 0;
  if (!at::isFloatingType(expected.scalar_type()) && !at::isComplexType(expected.scalar_type()))
    return expected.ne(found).to(at::kDouble).mean().item<double>();
  const bool complex = at::isComplexType(expected.scalar_type());
  const at::Tensor a = complex ? at::view_as_real(expected).to(at::kDouble) : expected.to(at::kDouble);
  const at::Tensor b = complex ? at::view_as_real(found).to(at::kDouble) : found.to(at::kDouble);
  const at::Tensor finite = at::isfinite(a);
  // Where there is no number to compare, both must be the same infinity, or not a number.
  const at::Tensor same = a.eq(b).logical_or(at::isnan(a).logical_and(at::isnan(b)));
  if (!finite.logical_or(same).all().item<bool>() || !finite.eq(at::isfinite(b)).all().item<bool>()) return infinite;
  const at::Tensor zero = at::zeros({}, a.options());
  const double difference = at::where(finite, (a - b).abs(), zero).max().item<double>();
  const double scale = at::where(finite, a.abs(), zero).max().item<double>();
  return difference == 0 ? 0 : scale == 0 ? infinite : difference / scale;
}

}  // namespace coppice::verifying
