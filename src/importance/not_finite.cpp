#include "importance/not_finite.hpp"

#include <algorithm>
#include <cmath>

#include "coppice/tensor/kernels.hpp"

namespace coppice::importance {

std::string not_finite(const tensor::Tensor& tensor) {
  // Axis by axis, the first slice with such an element: a list of all elements might not fit into memory.
  tensor::Tensor left = tensor;
  std::string place;
  double found = 0;
  for (std::size_t axis = 0; axis < tensor.shape.size(); ++axis) {
    const std::vector<double> sums = std::move(tensor::axis_power_sums(left, {&axis, 1}, 1).front());
    const auto bad = std::find_if(sums.begin(), sums.end(), [](double sum) { return !std::isfinite(sum); });
    if (bad == sums.end()) return "a sum too large";
    found = *bad;
    const std::int64_t index = bad - sums.begin();
    left = tensor::gather_axes(left, {{axis, {&index, 1}}});
    place += (axis == 0 ? "" : ", ") + std::to_string(index);
  }
  return (std::isnan(found) ? "nan at [" : "an infinity at [") + place + "]";
}

}  // namespace coppice::importance
