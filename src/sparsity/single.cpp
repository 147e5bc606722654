#include "coppice/sparsity/single.hpp"

#include <algorithm>
#include <cmath>

#include "coppice/base/error.hpp"
#include "coppice/importance/criterion.hpp"
#include "coppice/sparsity/sites.hpp"
#include "coppice/tensor/kernels.hpp"
#include "coppice/tensor/patterns.hpp"
#include "coppice/tensor/smallest.hpp"

#include "importance/not_finite.hpp"

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

}  // namespace

Mask l1_unstructured(const Tensor& weight, double amount) {
  return tensor::Smallest::of({tensor::Weights{"weight", weight}}, count_of(amount, weight.elements())).mask(0);
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

std::vector<std::pair<std::string, double>> transformer_layers(const graph::Graph& graph, double attention,
                                                               double mlp) {
  const std::vector<Site> sites = find_sites(graph);
  const std::pair<const char*, double> usual[] = {{"*self_attn*q_proj", attention}, {"*self_attn*k_proj", attention},
                                                  {"*self_attn*v_proj", attention}, {"*mlp*gate_proj", 1.5 * mlp},
                                                  {"*mlp*up_proj", 1.5 * mlp},      {"*mlp*down_proj", 0.5 * mlp}};
  std::vector<std::pair<std::string, double>> out;
  for (const auto& entry : usual) {
    const char* const pattern = entry.first;
    if (std::any_of(sites.begin(), sites.end(), [&](const Site& site) { return matches(site, pattern); }))
      out.emplace_back(pattern, std::min(entry.second, 1.0));
  }
  return out;
}

}  // namespace coppice::sparsity
