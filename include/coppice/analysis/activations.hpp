#pragma once
#include <cstdint>
#include <optional>

#include "coppice/pruning/prepare.hpp"

namespace coppice::analysis {

/// The most bytes of activations that are alive at once when the nodes run in order, each value from the node that
/// computes it to its last reader, inputs and outputs included, constants not. Nodes that only rename or reshape share
/// their operand's memory; other memory that an implementation takes for itself does not count. Extents are those for
/// which MACs are counted. Nothing when the size of some value is not known.
std::optional<std::uint64_t> peak_activation_bytes(const pruning::Prepared& prepared);

}  // namespace coppice::analysis
