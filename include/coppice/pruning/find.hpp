#pragma once
#include <cstdint>
#include <vector>

#include "coppice/pruning/prepare.hpp"

namespace coppice::pruning {

/// Which units of `original` a model lacks that was cut from it, by its weights alone: constants are matched by name,
/// their slices bit for bit, first along axes where nothing else is unknown, then with what is known by then. Where
/// equal slices leave a choice, the lowest indices stay. By unit, as cut() takes it; what `pruned` says nothing of
/// stays. Linear in the weights times the number of cut axes.
/// Throws Error naming the first parameter that cannot have come from the original by a cut: of another type or rank,
/// longer than the original, or, where nothing else tells which units went, with slices that the original does not have
/// (it was trained after the cut: then its plan is needed).
std::vector<std::uint8_t> find_removed(const Prepared& original, const graph::Model& pruned);

}  // namespace coppice::pruning
