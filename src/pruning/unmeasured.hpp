#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coppice/pruning/prepare.hpp"

namespace coppice::pruning {

/// Locks what is left of these groups (Reason::unmeasured): where nothing is measured, no unit is known to matter less
/// than another. Gives a warning for each of the first ones, which lists the axes that the criterion passed over, and
/// one for the others.
std::vector<std::string> lock_unmeasured(Prepared& prepared, std::span<const std::int32_t> groups,
                                         std::span<const std::uint8_t> removed, std::string_view criterion);

}  // namespace coppice::pruning
