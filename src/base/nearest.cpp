#include "coppice/base/nearest.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace coppice::base {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // One row of the table: distances from a's prefix to every prefix of b.
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

std::vector<std::string_view> nearest(std::string_view wanted, std::span<const std::string_view> candidates,
                                      std::size_t limit) {
  std::vector<std::pair<std::size_t, std::size_t>> scored;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const std::string_view candidate = candidates[i];
    const bool part = !wanted.empty() && !candidate.empty() &&
                      (candidate.find(wanted) != candidate.npos || wanted.find(candidate) != wanted.npos);
    const std::size_t distance = edit_distance(wanted, candidate);
    scored.emplace_back(part ? std::min<std::size_t>(1, distance) : distance, i);
  }
  std::sort(scored.begin(), scored.end());
  std::vector<std::string_view> out;
  for (std::size_t i = 0; i < std::min(limit, scored.size()); ++i) out.push_back(candidates[scored[i].second]);
  return out;
}

std::string nearest_list(std::string_view wanted, std::span<const std::string_view> candidates, std::size_t limit) {
  std::string out;
  for (const std::string_view name : nearest(wanted, candidates, limit)) {
    if (!out.empty()) out += ", ";
    out += name;
  }
  return out.empty() ? "none" : out;
}

}  // namespace coppice::base
