#pragma once
#include <cstdint>

#include "coppice/graph/model.hpp"

namespace coppice::support {

/// Refills every weight, scale, bias and running statistic with random numbers that give layers outputs of about unit
/// size. Exports of untrained models have dead outputs, on which any comparison passes. Reproducible by seed.
void make_live(graph::Model& model, std::uint64_t seed);

}  // namespace coppice::support
