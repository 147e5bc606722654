#include <algorithm>

#include "coppice/base/error.hpp"
#include "coppice/torch/layer_sparsity.hpp"

namespace coppice {

double outlier_share(const at::Tensor& scores, double multiple) {
  return scores.gt(scores.mean() * multiple).to(at::kDouble).mean().item<double>();
}

std::vector<double> owl_shares(std::vector<double> outlier_shares, const std::vector<std::int64_t>& weights,
                               double share, double spread) {
  if (outlier_shares.size() != weights.size() || weights.empty())
    throw Error("owl: expected a number of weights for each layer, found " + std::to_string(weights.size()) + " for " +
                std::to_string(outlier_shares.size()));
  const auto [least, most] = std::minmax_element(outlier_shares.begin(), outlier_shares.end());
  const double low = *least, range = *most - *least;
  double mean = 0, all = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    double& value = outlier_shares[i];
    value = range > 0 ? (value - low) / range * 2 * spread : 0;
    mean += value * static_cast<double>(weights[i]);
    all += static_cast<double>(weights[i]);
  }
  mean /= all;
  for (double& value : outlier_shares) {
    value = share - value + mean;
    if (!(value >= 0 && value < 1))
      throw Error("owl: expected a spread that leaves every layer a share from 0 to below 1, found " +
                  std::to_string(value) + "; spread " + std::to_string(spread));
  }
  return outlier_shares;
}

}  // namespace coppice
