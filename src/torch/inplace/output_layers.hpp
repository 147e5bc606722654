#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "coppice/pruning/prepare.hpp"

namespace coppice::inplace {

/// The units on an axis, those of all factors.
std::vector<std::int32_t> units_of(const coupling::Couplings& couplings, const coupling::Axis& axis);

/// Modules with a weight all of whose output units leave with the graph's outputs, in the order of the nodes.
std::vector<std::string> output_layers(const pruning::Prepared& prepared);

}  // namespace coppice::inplace
