#pragma once
#include <cstdint>

#include "coppice/pruning/prepare.hpp"

namespace coppice::pruning {

enum class Filling {
  lively,  ///< Biases and running means are normal around 0, scales and variances uniform in [0.5, 1.5).
  fresh,   ///< Biases and running means are 0, scales and variances 1: a network before any training.
};

/// The prepared model with random weights, and scales, biases and buffers of real numbers as `filling` says. Weights
/// are normal with variance 2 / fan-in (He et al., Delving Deep into Rectifiers, 2015), so that layers' outputs have
/// about unit size: exports of untrained models have dead outputs, and then any comparison passes. Quantised weights,
/// their scales and whatever shapes the computation stay. The same for the same seed.
Prepared refill(Prepared prepared, std::uint64_t seed, Filling filling = Filling::lively);

}  // namespace coppice::pruning
