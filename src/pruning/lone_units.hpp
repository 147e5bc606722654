#pragma once
#include <cstdint>
#include <span>
#include <string>

#include "coppice/pruning/prepare.hpp"

namespace coppice::pruning {

/// A warning, when the cut leaves some normalisation that subtracts a mean with one unit: what it gives is then the
/// same whatever goes in. Names the first one and counts the others; empty when there is none.
std::string lone_units(const Prepared& prepared, std::span<const std::uint8_t> removed);

}  // namespace coppice::pruning
