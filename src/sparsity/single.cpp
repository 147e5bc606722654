#include "coppice/sparsity/single.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <iterator>

#include "coppice/base/error.hpp"
#include "coppice/importance/criterion.hpp"
#include "coppice/sparsity/sites.hpp"
#include "coppice/tensor/kernels.hpp"
#include "coppice/tensor/patterns.hpp"
#include "coppice/tensor/smallest.hpp"

#include "importance/not_finite.hpp"
#include "tensor/decode.hpp"

namespace coppice::sparsity {
namespace {

using tensor::Mask;
using tensor::Tensor;

std::int64_t count_of(double amount, std::int64_t n) {
  if (!(amount >= 0 && amount <= 1)) throw Error("amount: expected 0 to 1, found " + std::to_string(amount));
  return std::min<std::int64_t>(std::llround(amount * static_cast<double>(n)), n);
}

tensor::Units slices(const Tensor& weight, std::size_t dim) {
  if (dim >= weight.shape.size()) {
    throw Error("dim: expected an axis below " + std::to_string(weight.shape.size()) + ", found " +
                std::to_string(dim));
  }
  tensor::Units out{weight.shape, std::vector<bool>(weight.shape.size(), true)};
  out.together[dim] = false;
  return out;
}

Mask drop_smallest(const tensor::Units& units, const std::vector<double>& scores, double amount) {
  std::vector<bool> drop(scores.size());
  for (const std::int64_t i : tensor::smallest(scores, count_of(amount, units.count())))
    drop[static_cast<std::size_t>(i)] = true;
  return tensor::unit_mask(units, drop);
}

// How many weights are smaller than `bound`.
std::int64_t smaller(const std::vector<Tensor>& weights, double bound) {
  std::int64_t out = 0;
  std::array<double, 1024> block;
  for (const Tensor& weight : weights) {
    const std::int64_t n = weight.elements();
    for (std::int64_t first = 0; first < n; first += std::ssize(block)) {
      const auto count = static_cast<std::size_t>(std::min(n - first, std::ssize(block)));
      tensor::decode(weight, first, count, block.data());
      out += std::count_if(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(count),
                           [bound](double value) { return std::abs(value) < bound; });
    }
  }
  return out;
}

std::vector<std::pair<std::string, double>> those_found(const graph::Graph& graph,
                                                        const std::vector<std::pair<std::string, double>>& usual) {
  const std::vector<Site> sites = find_sites(graph);
  std::vector<std::pair<std::string, double>> out;
  for (const auto& [pattern, share] : usual) {
    const auto fits = [&name = pattern](const Site& site) { return matches(site, name); };
    if (std::any_of(sites.begin(), sites.end(), fits)) out.emplace_back(pattern, std::min(share, 1.0));
  }
  return out;
}

}  // namespace

Mask l1_unstructured(const Tensor& weight, double amount) {
  return tensor::Smallest::of({tensor::Weights{"weight", weight}}, count_of(amount, weight.elements())).mask(0);
}

Mask l2_unstructured(const Tensor& weight, double amount) {
  return l1_unstructured(weight, amount);
}

Mask random_unstructured(const Tensor& weight, double amount, std::uint64_t seed) {
  const tensor::Scores scores{"weight", weight.elements(), [seed](std::int64_t first, std::span<double> out) {
                                for (double& score : out)
                                  score = importance::random_score(seed, 0, static_cast<std::uint64_t>(first++));
                              }};
  return tensor::Smallest::of({scores}, count_of(amount, weight.elements())).mask(0);
}

Mask ln_structured(const Tensor& weight, double amount, int n, std::size_t dim) {
  if (n != 1 && n != 2) throw Error("n: expected 1 or 2, found " + std::to_string(n));
  const tensor::Units units = slices(weight, dim);
  const std::vector<double> sums = tensor::unit_power_sums(weight, units, n);
  if (std::any_of(sums.begin(), sums.end(), [](double sum) { return std::isnan(sum); }))
    throw Error("weight: expected numbers, found " + importance::not_finite(weight));
  return drop_smallest(units, sums, amount);
}

Mask random_structured(const Tensor& weight, double amount, std::size_t dim, std::uint64_t seed) {
  const tensor::Units units = slices(weight, dim);
  std::vector<double> scores(static_cast<std::size_t>(units.count()));
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] = importance::random_score(seed, 0, i);
  return drop_smallest(units, scores, amount);
}

Thresholded threshold_unstructured(const std::vector<Tensor>& weights, double fraction) {
  if (!(fraction >= 0 && fraction <= 1)) throw Error("fraction: expected 0 to 1, found " + std::to_string(fraction));
  std::vector<tensor::Weights> lists;
  std::int64_t n = 0;
  for (const Tensor& weight : weights) {
    lists.push_back({"weight " + std::to_string(lists.size()), weight});
    n += weight.elements();
  }
  if (n == 0) throw Error("weights: expected some, found none");
  const double rank = fraction * static_cast<double>(n - 1);
  const std::int64_t below = std::min(static_cast<std::int64_t>(rank), n - 1);
  const double share = rank - static_cast<double>(below);
  const auto chosen = tensor::Smallest::of(lists, below + 1);
  const double low = chosen.largest();
  Thresholded out{.threshold = low, .masks = {}};
  std::int64_t count = below + 1;
  const double high = share > 0 ? tensor::Smallest::of(lists, below + 2).largest() : low;
  if (high > low) {
    // Infinite where `high` is. Never rounded down to `low`, which is below it.
    out.threshold = std::isinf(high) ? high : std::max(low + share * (high - low), std::nextafter(low, high));
  } else {
    count = smaller(weights, low);
  }
  const auto dropped = tensor::Smallest::of(lists, count);
  for (std::size_t i = 0; i < lists.size(); ++i) out.masks.push_back(dropped.mask(i));
  return out;
}

std::vector<std::pair<std::string, double>> transformer_layers(const graph::Graph& graph, double attention,
                                                               double mlp) {
  const double in = attention, up = 1.5 * mlp, down = 0.5 * mlp;
  return those_found(graph, {{"*attn*q_proj", in},
                             {"*attn*k_proj", in},
                             {"*attn*v_proj", in},
                             {"*attn*qkv", in},
                             {"*attn*c_attn", in},
                             {"*attention*query", in},
                             {"*attention*key", in},
                             {"*attention*value", in},
                             {"*attention*query_key_value", in},
                             {"*mlp*gate_proj", up},
                             {"*mlp*up_proj", up},
                             {"*mlp*c_fc", up},
                             {"*mlp*fc1", up},
                             {"*layers*fc1", up},
                             {"*mlp*dense_h_to_4h", up},
                             {"*intermediate*dense", up},
                             {"*mlp*down_proj", down},
                             {"*mlp*c_proj", down},
                             {"*mlp*fc2", down},
                             {"*layers*fc2", down},
                             {"*mlp*dense_4h_to_h", down}});
}

std::vector<std::pair<std::string, double>> transformer_layers(const graph::Graph& graph, double sparsity) {
  return those_found(
      graph, {{"*attention*", sparsity}, {"*attn*", sparsity}, {"*mlp*", sparsity}, {"*intermediate*", sparsity}});
}

}  // namespace coppice::sparsity
