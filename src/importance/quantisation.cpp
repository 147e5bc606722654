#include "importance/quantisation.hpp"

#include <cmath>

namespace coppice::importance {

double sum_factor(const Quantisation& how, std::size_t axis, std::size_t index, int power) {
  if (how.scales.empty()) return 1;
  const auto raised = [&](double scale) { return power == 2 ? scale * scale : std::abs(scale); };
  if (how.scales.size() == 1) return raised(how.scales[0]);
  if (how.axis == axis) return raised(how.scales[index]);
  double sum = 0;
  for (double scale : how.scales) sum += raised(scale);
  return sum / static_cast<double>(how.scales.size());
}

tensor::Tensor dequantised(const tensor::Tensor& tensor, const Quantisation& how) {
  std::vector<double> values(static_cast<std::size_t>(tensor.elements()));
  std::int64_t inner = 1;
  for (std::size_t k = how.axis + 1; k < tensor.shape.size(); ++k) inner *= tensor.shape[k];
  const auto pick = [&](const std::vector<double>& list, std::int64_t i, double fallback) {
    if (list.size() < 2) return list.empty() ? fallback : list[0];
    return list[static_cast<std::size_t>(i / inner % tensor.shape[how.axis])];
  };
  for (std::int64_t i = 0; i < tensor.elements(); ++i)
    values[static_cast<std::size_t>(i)] =
        (tensor::element_as_double(tensor, i) - pick(how.zero.values, i, 0)) * pick(how.scales, i, 1);
  return tensor::from_doubles(tensor::DType::float64, tensor.shape, values);
}

}  // namespace coppice::importance
