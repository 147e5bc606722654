#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "coppice/coupling/reason.hpp"
#include "coppice/pruning/prepare.hpp"

namespace coppice::analysis {

/// Units that must stay for the same reason at the same node.
struct LockRow {
  coupling::Reason reason = coupling::Reason::fixed_axis;
  std::int32_t node = -1;  ///< Index into the prepared graph; -1: no node in particular.
  std::string where;       ///< `Softmax "/attn/softmax"`; empty without a node.
  std::int64_t units = 0;
  double share = 0;  ///< 0..1: parameters in a slice of at least one of these units. Shares of several rows overlap.
};

/// Indices of a parameter's axis that a rule keeps whole count as units here. Rows by falling share, then in order of
/// the nodes.
std::vector<LockRow> locks(const pruning::Prepared& prepared);

/// Number of locked units by the reason's name.
std::map<std::string, std::int64_t> locked_units(const coupling::Couplings& couplings);

/// The share of parameters that lie in a slice of a unit with chosen[unit] != 0.
double share_of(const pruning::Prepared& prepared, const std::vector<std::uint8_t>& chosen);

}  // namespace coppice::analysis
