#include "graph/roles/tables.hpp"

#include <cmath>

namespace coppice::graph {

bool is_mask(const tensor::Tensor& tensor) {
  if (tensor.shape.size() < 2 || !tensor::is_real(tensor.dtype)) return false;
  double low = 0;
  bool zero = false;
  for (std::int64_t i = 0, n = tensor.elements(); i < n; ++i) {
    const double x = tensor::element_as_double(tensor, i);
    if (x == 0)
      zero = true;
    else if (!(x <= -100) || (low != 0 && x != low))
      return false;
    else
      low = x;
  }
  return zero && low != 0;
}

bool is_filled(const tensor::Tensor& tensor, double number) {
  if (!tensor::is_real(tensor.dtype)) return false;
  for (std::int64_t i = 0, n = tensor.elements(); i < n; ++i)
    if (tensor::element_as_double(tensor, i) != number) return false;
  return true;
}

bool is_rotation_table(const tensor::Tensor& tensor) {
  if (tensor.shape.size() < 2 || !tensor::is_real(tensor.dtype)) return false;
  const std::int64_t width = tensor.shape.back(), n = tensor.elements();
  const double first = tensor::element_as_double(tensor, 0);
  if (first != 0 && first != 1) return false;
  for (std::int64_t i = 0; i < n; ++i) {
    const double x = tensor::element_as_double(tensor, i);
    if (i < width ? x != first : !(std::abs(x) <= 1)) return false;
  }
  return true;
}

}  // namespace coppice::graph
