#include "coppice/analysis/zero_patterns.hpp"

#include <cmath>

namespace coppice::analysis {
namespace {

// Of `group` elements more than `kept` are not zero, where each is zero or not by itself: the tail of a binomial.
double chance_above(int kept, int group, double filled) {
  double out = 0;
  for (int i = kept + 1; i <= group; ++i) {
    const double ways = std::lgamma(group + 1) - std::lgamma(i + 1) - std::lgamma(group - i + 1);
    out += std::exp(ways) * std::pow(filled, i) * std::pow(1 - filled, group - i);
  }
  return out;
}

}  // namespace

std::vector<ZeroPattern> zero_patterns(const tensor::ZeroGroups& most, std::int64_t zeros, std::int64_t elements) {
  std::vector<ZeroPattern> out;
  if (elements == 0) return out;
  const double filled = 1 - static_cast<double>(zeros) / static_cast<double>(elements);
  double least = 1;  // the smallest share that a pattern found so far keeps
  for (std::size_t k = 0; k < most.size(); ++k) {
    const int group = tensor::zero_group_sizes[k], kept = most[k].value_or(0);
    if (kept == 0 || kept == group) continue;
    const double share = static_cast<double>(kept) / group;
    if (!out.empty() && share > 0.75 * least) continue;
    const double groups = static_cast<double>(elements) / group;
    if (groups * chance_above(kept, group, filled) < 4.999) continue;  // five, but for rounding
    out.push_back({kept, group});
    least = share;
  }
  return out;
}

std::string to_string(const ZeroPattern& pattern) {
  return std::to_string(pattern.kept) + ":" + std::to_string(pattern.group);
}

std::string to_string(const std::vector<ZeroPattern>& patterns) {
  std::string out;
  for (const ZeroPattern& pattern : patterns) out += (out.empty() ? "" : ", ") + to_string(pattern);
  return out;
}

}  // namespace coppice::analysis
