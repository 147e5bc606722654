#include "coppice/importance/normalizer.hpp"

#include <algorithm>
#include <cmath>

#include "coppice/base/named.hpp"
#include "coppice/tensor/scores.hpp"

namespace coppice::importance {
namespace {

constexpr base::Names<Normalizer, 7> kNames{{{Normalizer::none, "none"},
                                             {Normalizer::mean, "mean"},
                                             {Normalizer::sum, "sum"},
                                             {Normalizer::max, "max"},
                                             {Normalizer::min_max, "min_max"},
                                             {Normalizer::gaussian, "gaussian"},
                                             {Normalizer::lamp, "lamp"}}};

double sum_of(std::span<const double> scores) {
  double sum = 0;
  for (const double score : scores) sum += score;
  return sum;
}

// (x - shift) / divisor; by nothing when the divisor is zero.
std::vector<double> scaled(std::span<const double> scores, double shift, double divisor) {
  std::vector<double> out(scores.begin(), scores.end());
  for (double& score : out) score = divisor == 0 ? score - shift : (score - shift) / divisor;
  return out;
}

std::vector<double> gaussian(std::span<const double> scores) {
  const auto count = static_cast<double>(scores.size());
  const double mean = sum_of(scores) / count;
  double squares = 0;
  for (const double score : scores) squares += (score - mean) * (score - mean);
  const double deviation = scores.size() > 1 ? std::sqrt(squares / (count - 1)) : 0.0;
  return scaled(scores, mean, deviation + 1e-8);
}

}  // namespace

std::string_view to_string(Normalizer normalizer) {
  return base::find_name(kNames, normalizer);
}

Normalizer parse_normalizer(std::string_view text) {
  return base::parse_name("normalizer", kNames, text);
}

std::vector<double> normalize(Normalizer normalizer, std::span<const double> scores) {
  if (scores.empty()) return {};
  switch (normalizer) {
    case Normalizer::mean:
      return scaled(scores, 0, std::abs(sum_of(scores) / static_cast<double>(scores.size())));
    case Normalizer::sum:
      return scaled(scores, 0, std::abs(sum_of(scores)));
    case Normalizer::max: {
      double largest = 0;
      for (const double score : scores) largest = std::max(largest, std::abs(score));
      return scaled(scores, 0, largest);
    }
    case Normalizer::min_max: {
      const auto [low, high] = std::minmax_element(scores.begin(), scores.end());
      return scaled(scores, *low, *high - *low);
    }
    case Normalizer::gaussian:
      return gaussian(scores);
    case Normalizer::lamp:
      return tensor::lamp_scores(scores);
    case Normalizer::none:
      break;
  }
  return {scores.begin(), scores.end()};
}

}  // namespace coppice::importance
