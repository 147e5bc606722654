#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "coppice/base/error.hpp"
#include "coppice/tensor/scores.hpp"

namespace coppice::tensor {

std::vector<double> lamp_scores(std::span<const double> scores) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (const double score : scores) {
    if (!(score >= 0) || std::isinf(score))
      throw Error("lamp: expected finite scores of 0 or more, found " + std::to_string(score));
  }
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return scores[a] != scores[b] ? scores[a] < scores[b] : a < b; });
  std::vector<double> out(scores.size(), 0.0);
  double rest = 0;
  for (std::size_t i = order.size(); i-- > 0;) {
    rest += scores[order[i]];
    if (rest > 0) out[order[i]] = scores[order[i]] / rest;
  }
  return out;
}

}  // namespace coppice::tensor
