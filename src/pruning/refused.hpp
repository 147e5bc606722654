#pragma once
#include <string>

#include "coppice/pruning/cut.hpp"

namespace coppice::pruning {

/// How often a choice may be refused before the refusal is the user's to see.
inline constexpr int most_refusals = 20;

/// Locks what a cut could not do, so that the next choice leaves it: the units that it named; from the fourth refusal
/// on the whole of their groups, whose width is what matters then. `round` counts from 0. Returns a line for people.
std::string lock_refused(Prepared& prepared, const StructureError& error, int round);

}  // namespace coppice::pruning
