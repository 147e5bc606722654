#pragma once
#include <span>
#include <string_view>
#include <vector>

namespace coppice::importance {

/// How the scores of a group are made comparable with those of other groups. Source: the normalisers of DepGraph
/// (Fang et al., Towards Any Structural Pruning, 2023); lamp from Lee et al., Layer-Adaptive Sparsity for
/// Magnitude-Based Pruning, 2021.
///
/// The order within a group is never reversed: where the scores are negative (small_final), mean, sum and max divide by
/// the size of what they name. A divisor of zero leaves zeros, equal scores give min_max 0.
enum class Normalizer {
  none,
  mean,      ///< x / |mean|
  sum,       ///< x / |sum|
  max,       ///< x / max |x|
  min_max,   ///< (x - min) / (max - min)
  gaussian,  ///< (x - mean) / (deviation + 1e-8), with the deviation of a sample (n - 1; 0 for a single score)
  lamp,      ///< x_i / sum of x_j over all j ranked no lower; Error on negative scores
};

std::string_view to_string(Normalizer normalizer);
/// Throws Error, which lists the names, on any other text.
Normalizer parse_normalizer(std::string_view text);

/// The scores of one group, normalised; sums run in the order of the units.
std::vector<double> normalize(Normalizer normalizer, std::span<const double> scores);

}  // namespace coppice::importance
