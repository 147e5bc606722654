#include "coppice/sparsity/importances.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "coppice/base/error.hpp"
#include "coppice/tensor/kernels.hpp"

#include "tensor/decode.hpp"

namespace coppice::sparsity {
namespace {

/// How many of n go: as many as Sparsifier takes.
std::int64_t going(std::size_t count, double fraction) {
  if (!(fraction >= 0 && fraction <= 1)) throw Error("fraction: expected 0 to 1, found " + std::to_string(fraction));
  const auto n = static_cast<std::int64_t>(count);
  return std::clamp<std::int64_t>(std::llround((1 - fraction) * static_cast<double>(n)), 0, n);
}

}  // namespace

Importances map_importances(const std::function<double(double)>& function, const Params& params) {
  Importances out;
  for (const auto& [name, tensor] : params) {
    if (!tensor::has_magnitude(tensor.dtype))
      throw Error(name + ": expected numbers, found " + std::string(tensor::name(tensor.dtype)));
    std::vector<double> values(static_cast<std::size_t>(tensor.elements()));
    tensor::decode(tensor, 0, values.size(), values.data());
    std::transform(values.begin(), values.end(), values.begin(), function);
    out.emplace_back(name, std::move(values));
  }
  return out;
}

std::vector<double> flatten_importances(const Importances& importances) {
  std::vector<double> out;
  for (const auto& entry : importances) out.insert(out.end(), entry.second.begin(), entry.second.end());
  return out;
}

double fraction_threshold(const std::vector<double>& importances, double fraction) {
  const std::int64_t go = going(importances.size(), fraction);
  if (std::any_of(importances.begin(), importances.end(), [](double x) { return std::isnan(x); }))
    throw Error("importances: expected numbers, found NaN");
  if (go == static_cast<std::int64_t>(importances.size())) return std::numeric_limits<double>::infinity();
  std::vector<double> order = importances;
  std::nth_element(order.begin(), order.begin() + go, order.end());
  return order[static_cast<std::size_t>(go)];
}

Masks importance_masks(const Importances& importances, double threshold) {
  Masks out;
  for (const auto& [name, values] : importances) {
    tensor::Mask mask = tensor::Mask::all(static_cast<std::int64_t>(values.size()));
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!(values[i] >= threshold)) mask.drop(static_cast<std::int64_t>(i));
    out.emplace_back(name, std::move(mask));
  }
  return out;
}

tensor::Mask fraction_mask(const std::vector<double>& importances, double fraction) {
  tensor::Mask out = tensor::Mask::all(static_cast<std::int64_t>(importances.size()));
  for (const std::int64_t i : tensor::smallest(importances, going(importances.size(), fraction))) out.drop(i);
  return out;
}

}  // namespace coppice::sparsity
