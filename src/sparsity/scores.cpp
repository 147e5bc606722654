#include "sparsity/scores.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include "coppice/base/error.hpp"
#include "coppice/tensor/kernels.hpp"
#include "coppice/tensor/scores.hpp"

#include "importance/not_finite.hpp"
#include "tensor/decode.hpp"

namespace coppice::sparsity {
namespace {

using importance::Criterion;

// Infinite scores have an order; lamp's quotients of them have none.
void check_sums(const Entrant& entrant, const std::vector<double>& sums, Criterion criterion) {
  const bool quotients = criterion == Criterion::lamp;
  double total = 0;
  for (const double sum : sums) total += sum;
  if (std::isnan(total) || (quotients && std::isinf(total)))
    throw Error(entrant.site.name + ": expected numbers, found " + importance::not_finite(entrant.tensor));
}

/// The scores given from elsewhere; null without any.
const tensor::Tensor* given_scores(const Entrant& entrant, const SparsifyOptions& options) {
  if (options.scores.empty()) return nullptr;
  const auto found = options.scores.find(entrant.site.name);
  if (found == options.scores.end()) throw Error(entrant.site.name + ": no scores were given for this weight");
  if (found->second.shape != entrant.site.shape || !tensor::is_real(found->second.dtype)) {
    throw Error(entrant.site.name + ": expected scores as real numbers of shape " +
                tensor::to_string(entrant.site.shape) + ", found " + std::string(tensor::name(found->second.dtype)) +
                " of " + tensor::to_string(found->second.shape));
  }
  return &found->second;
}

}  // namespace

void check_criterion(Criterion criterion) {
  if (criterion == Criterion::bn_scale || criterion == Criterion::fpgm) {
    throw Error("criterion " + std::string(to_string(criterion)) +
                " scores channels, not weights: expected large_final, l2, small_final, random or lamp");
  }
}

std::optional<tensor::Scores> weight_scores(const Entrant& entrant, const SparsifyOptions& options) {
  tensor::Scores out{entrant.site.name, entrant.tensor.elements(), {}};
  if (const tensor::Tensor* given = given_scores(entrant, options)) {
    out.read = [scores = *given](std::int64_t first, std::span<double> to) {
      tensor::decode(scores, first, to.size(), to.data());
    };
    return out;
  }
  switch (options.criterion) {
    case Criterion::random:
      out.read = [seed = options.seed, number = entrant.number](std::int64_t first, std::span<double> to) {
        for (double& score : to) score = importance::random_score(seed, number, static_cast<std::uint64_t>(first++));
      };
      return out;
    case Criterion::small_final:
      out.read = [tensor = entrant.tensor](std::int64_t first, std::span<double> to) {
        tensor::decode(tensor, first, to.size(), to.data());
        for (double& score : to) score = -std::fabs(score);
      };
      return out;
    case Criterion::lamp: {
      const std::vector<double> squares = tensor::element_powers(entrant.tensor, 2);
      check_sums(entrant, squares, options.criterion);
      auto scores = std::make_shared<const std::vector<double>>(tensor::lamp_scores(squares));
      out.read = [scores](std::int64_t first, std::span<double> to) {
        std::copy_n(scores->begin() + first, to.size(), to.begin());
      };
      return out;
    }
    default:
      return std::nullopt;
  }
}

std::vector<double> unit_scores(const Entrant& entrant, const tensor::Units& units, const SparsifyOptions& options) {
  const tensor::Tensor* const given = given_scores(entrant, options);
  if (given) {
    std::vector<double> out = tensor::unit_power_sums(*given, units, 1);
    for (double& score : out) score /= static_cast<double>(units.size());
    if (std::any_of(out.begin(), out.end(), [](double score) { return std::isnan(score); }))
      throw Error(entrant.site.name + ": expected scores, found " + importance::not_finite(*given));
    return out;
  }
  if (options.criterion == Criterion::random) {
    std::vector<double> out(static_cast<std::size_t>(units.count()));
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = importance::random_score(options.seed, entrant.number, i);
    return out;
  }
  std::vector<double> out = tensor::unit_power_sums(entrant.tensor, units, importance::power_of(options.criterion));
  check_sums(entrant, out, options.criterion);
  const auto size = static_cast<double>(units.size());
  for (double& score : out) score /= size;
  if (options.criterion == Criterion::lamp) return tensor::lamp_scores(out);
  for (double& score : out) {
    if (options.criterion == Criterion::l2) score = std::sqrt(score);
    if (options.criterion == Criterion::small_final) score = -score;
  }
  return out;
}

}  // namespace coppice::sparsity
