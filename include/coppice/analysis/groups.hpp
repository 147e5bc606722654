#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "coppice/pruning/prepare.hpp"

namespace coppice::analysis {

/// One axis of one constant that shrinks with the group.
struct Member {
  std::string parameter;
  std::int32_t axis = 0;
  std::int64_t length = 0;
};

struct GroupRow {
  std::int64_t units = 0;   ///< That may be cut.
  std::int64_t locked = 0;  ///< On the same axes, that must stay.
  std::vector<Member> members;
};

/// The coupling groups with at least one unit that may be cut, in order of appearance.
std::vector<GroupRow> groups(const pruning::Prepared& prepared);

}  // namespace coppice::analysis
