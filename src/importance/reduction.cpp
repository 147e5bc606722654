#include "coppice/importance/reduction.hpp"

#include <algorithm>

#include "coppice/base/named.hpp"

namespace coppice::importance {
namespace {

constexpr base::Names<Reduction, 5> kNames{{{Reduction::mean, "mean"},
                                            {Reduction::sum, "sum"},
                                            {Reduction::max, "max"},
                                            {Reduction::prod, "prod"},
                                            {Reduction::first, "first"}}};

}  // namespace

std::string_view to_string(Reduction reduction) {
  return base::find_name(kNames, reduction);
}

Reduction parse_reduction(std::string_view text) {
  return base::parse_name("reduction", kNames, text);
}

std::vector<double> reduce(Reduction reduction, std::span<const double> scores, std::size_t members,
                           std::size_t units) {
  if (units == 0 ? !scores.empty() : scores.size() / units != members || scores.size() % units != 0) {
    throw Error("reduce: expected scores of " + std::to_string(members) + " members x " + std::to_string(units) +
                " units, found " + std::to_string(scores.size()));
  }
  if (members == 0) return std::vector<double>(units, 0.0);
  std::vector<double> out(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(units));
  if (reduction == Reduction::first) return out;
  for (std::size_t member = 1; member < members; ++member) {
    const auto row = scores.subspan(member * units, units);
    for (std::size_t unit = 0; unit < units; ++unit) {
      if (reduction == Reduction::max) {
        out[unit] = std::max(out[unit], row[unit]);
      } else if (reduction == Reduction::prod) {
        out[unit] *= row[unit];
      } else {
        out[unit] += row[unit];
      }
    }
  }
  if (reduction == Reduction::mean) {
    for (double& score : out) score /= static_cast<double>(members);
  }
  return out;
}

}  // namespace coppice::importance
