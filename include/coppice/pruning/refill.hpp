#pragma once
#include <cstdint>

#include "coppice/pruning/prepare.hpp"

namespace coppice::pruning {

/// The prepared model with random weights, scales, biases and buffers of real numbers, such that layers' outputs have
/// about unit size: weights are normal with variance 2 / fan-in, biases and running means normal around 0, scales and
/// variances uniform in [0.5, 1.5). Exports of untrained models have dead outputs, and then any comparison passes.
/// Quantised weights, their scales and whatever shapes the computation stay. The same for the same seed.
Prepared refill(Prepared prepared, std::uint64_t seed);

}  // namespace coppice::pruning
