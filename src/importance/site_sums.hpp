#pragma once
#include <span>
#include <vector>

#include "coppice/importance/members.hpp"

namespace coppice::importance {

/// What every index of a site contributes to the unit that owns it.
struct SiteSums {
  coupling::Site site;
  std::vector<std::int64_t> indices;  ///< Of the axis that are left; empty: all.
  std::vector<double> sums;           ///< One for each index that is left.
};

/// The contributions at `sites` (each once), which need not be in any order; the result is in the order of `sites`.
/// Constants that have lost slices are gathered first, some at a time. Throws Error naming a constant whose numbers are
/// not finite.
std::vector<SiteSums> site_sums(const graph::Graph& graph, const coupling::Couplings& couplings, const Readers& readers,
                                std::span<const coupling::Site> sites, Criterion criterion,
                                std::span<const std::uint8_t> removed);

}  // namespace coppice::importance
