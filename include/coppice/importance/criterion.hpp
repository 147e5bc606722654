#pragma once
#include <cstdint>
#include <string_view>

namespace coppice::importance {

/// How the importance of a unit's slice is told from its weights w. Units of small importance go first.
enum class Criterion {
  large_final,  ///< sum |w|: keeps the large weights (Li et al., Pruning Filters for Efficient ConvNets, 2017).
  l2,           ///< sum w^2.
  small_final,  ///< -sum |w|: keeps the small weights, as a control.
  random,       ///< A seeded draw: see random_score.
  bn_scale,     ///< |gamma| of the batch norm behind the unit (Liu et al., Network Slimming, 2017).
  fpgm,         ///< sum of distances to the other slices (He et al., Filter Pruning via Geometric Median, 2019).
  lamp,         ///< sum w^2 over the sum of all that are no smaller (Lee et al., LAMP, 2021).
};

/// The name used on the command line and in plans.
std::string_view to_string(Criterion criterion);
/// Throws Error, which lists the names, on any other text.
Criterion parse_criterion(std::string_view text);

/// The exponent p of sum |w|^p on which the criterion rests: 2 for l2 and lamp, otherwise 1.
int power_of(Criterion criterion);

/// A uniform number in [0, 1) that depends on its arguments alone, on every machine: the plan of a seed is stable.
/// Source: the output function of SplitMix64 (Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators,
/// 2014), applied to each argument in turn.
double random_score(std::uint64_t seed, std::uint64_t group, std::uint64_t unit);

}  // namespace coppice::importance
