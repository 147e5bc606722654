#pragma once
#include <cstdint>
#include <span>

#include "coppice/pruning/prepare.hpp"

namespace coppice::pruning {

/// Looks at a cut model as a stranger would: shape inference over the whole finished graph must give every value,
/// graph outputs among them, the extents that the decision leaves it. Throws Error naming the value, the expected and
/// the found shape.
void check_cut(const Prepared& prepared, std::span<const std::uint8_t> removed, const graph::Model& result);

}  // namespace coppice::pruning
