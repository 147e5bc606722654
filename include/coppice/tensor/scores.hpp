#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "coppice/tensor/tensor.hpp"

namespace coppice::tensor {

struct ZeroPoint;

/// For each slice W_i of `weight` along `axis` the sum over all slices j of the Euclidean distance ||W_i - W_j||, in
/// double precision; bitwise the same for any number of threads. Equal slices have distance 0 exactly. Types: those
/// with has_magnitude(). Throws Error on an axis or zero point that does not fit. Source: He et al., Filter Pruning via
/// Geometric Median, 2019, equation 6.
std::vector<double> fpgm_scores(const Tensor& weight, std::size_t axis, const ZeroPoint& zero);
std::vector<double> fpgm_scores(const Tensor& weight, std::size_t axis);

/// x_i over the sum of all x_j that stand at or behind it in ascending order (of equal scores the lower index stands
/// first); 0 where that sum is 0. Takes squared weights or norms; throws Error on a negative score, NaN and infinity.
/// Source: Lee et al., Layer-Adaptive Sparsity for the Magnitude-Based Pruning, 2021, equation 1.
std::vector<double> lamp_scores(std::span<const double> scores);

}  // namespace coppice::tensor
