#pragma once
#include <cstdint>
#include <string_view>

namespace coppice::pruning {

/// The share to remove, in [0, 1): "30", "30%" and "0.3" are the same, as a number above 1 is percent. Throws Error on
/// anything else.
double parse_ratio(std::string_view text);

/// The share that a number stands for: above 1 it is percent.
inline double share_of(double ratio) {
  return ratio > 1 ? ratio / 100 : ratio;
}

/// The share of weights to zero, in [0, 1]: as parse_ratio, but all of them ("100%", "100") are allowed.
double parse_sparsity(std::string_view text);

/// How many of a group's `units` stay at a ratio in [0, 1]: floor(units * (1 - ratio) + 1e-9), but at least 1 of 1 or
/// more. Throws Error on a negative number of units or a ratio out of range.
std::int64_t keep_count(std::int64_t units, double ratio);

/// The multiple of `multiple` nearest to `keep` (of two, the larger) that is at least `multiple` and at most `units`.
/// A group that keeps all its units, or that has fewer than `multiple`, stays whole: returns `units`. Throws Error when
/// multiple < 1 or keep is not in [0, units].
std::int64_t round_to_multiple(std::int64_t keep, std::int64_t units, std::int64_t multiple);

}  // namespace coppice::pruning
