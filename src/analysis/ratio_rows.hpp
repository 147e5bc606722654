#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "coppice/pruning/prepare.hpp"

namespace coppice::analysis {

/// Coupling groups that only one ratio can be given to, because they share layers.
struct RatioRow {
  std::vector<std::string> layers;   ///< Names that stand for nothing else, in the order of the nodes.
  std::vector<std::int32_t> groups;  ///< With units that may be cut; empty when all are locked.
  std::int64_t units = 0;            ///< That may be cut.
  std::string reason;                ///< Why no ratio can be given; empty: one can.
};

/// Every layer with weights is in one of them.
std::vector<RatioRow> ratio_rows(const pruning::Prepared& prepared);

}  // namespace coppice::analysis
