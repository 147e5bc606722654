#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "pruning/cutter.hpp"

namespace coppice::pruning {

/// Of `groups` equal groups of an axis of `length` indices those of which some index is in `kept` (ascending). Fails
/// when they would differ in size: whole groups go, or as many indices from every group.
std::int64_t groups_left(Cutter& c, const std::vector<std::int64_t>& kept, std::int64_t length, std::int64_t groups);

/// The rules of fused attention operators; null for others.
StructureRule find_attention_rule(std::string_view domain, std::string_view op);

}  // namespace coppice::pruning
