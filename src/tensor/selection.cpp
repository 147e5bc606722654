#include <algorithm>
#include <cmath>
#include <string>

#include "coppice/base/error.hpp"
#include "coppice/tensor/kernels.hpp"

namespace coppice::tensor {

std::vector<std::int64_t> smallest(std::span<const double> scores, std::int64_t count) {
  const auto size = static_cast<std::int64_t>(scores.size());
  if (count < 0 || count > size) {
    throw Error("smallest: expected a count from 0 to " + std::to_string(size) + ", found " + std::to_string(count));
  }
  struct Ranked {
    double score;
    std::int64_t index;
  };
  std::vector<Ranked> ranked(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (std::isnan(scores[i])) throw Error("smallest: expected numbers, found NaN as score " + std::to_string(i));
    ranked[i] = {scores[i], static_cast<std::int64_t>(i)};
  }
  if (count > 0 && count < size) {
    std::nth_element(ranked.begin(), ranked.begin() + (count - 1), ranked.end(), [](const Ranked& a, const Ranked& b) {
      return a.score != b.score ? a.score < b.score : a.index < b.index;
    });
  }
  // A mark for each index sorts them in linear time.
  std::vector<bool> chosen(scores.size());
  for (std::int64_t i = 0; i < count; ++i)
    chosen[static_cast<std::size_t>(ranked[static_cast<std::size_t>(i)].index)] = true;
  std::vector<std::int64_t> out;
  out.reserve(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    if (chosen[i]) out.push_back(static_cast<std::int64_t>(i));
  }
  return out;
}

}  // namespace coppice::tensor
