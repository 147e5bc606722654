#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "coppice/tensor/zero_structure.hpp"

namespace coppice::analysis {

/// At most `kept` of every `group` neighbours on an axis are not zero.
struct ZeroPattern {
  int kept = 0, group = 0;
  friend bool operator==(const ZeroPattern&, const ZeroPattern&) = default;
};

/// The N:M patterns that hold in every group of a tensor, for the group sizes of ZeroGroups, `zeros` of whose
/// `elements` are zero. Left out are those that chance explains: as many zeros at random places would break them in
/// fewer than five groups. Of longer groups only those count that keep at least a quarter less than a shorter one found
/// before: a tensor of 2:4 is one of 4:8 too.
std::vector<ZeroPattern> zero_patterns(const tensor::ZeroGroups& most, std::int64_t zeros, std::int64_t elements);
/// "2:4"
std::string to_string(const ZeroPattern& pattern);
/// "3:4, 4:8"; empty for none.
std::string to_string(const std::vector<ZeroPattern>& patterns);

}  // namespace coppice::analysis
