#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "coppice/tensor/zero_structure.hpp"

namespace coppice::tensor {

/// For each of zero_group_sizes, the most that was counted in a group so far.
using GroupCounts = std::array<std::uint8_t, zero_group_sizes.size()>;

/// Raises most[k] to the number of ones in that group of zero_group_sizes[k] neighbouring bits that has most of them.
void raise_group_counts(std::span<const std::uint64_t> words, GroupCounts& most);

}  // namespace coppice::tensor
