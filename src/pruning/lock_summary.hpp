#pragma once
#include <string>

#include "coppice/pruning/prepare.hpp"

namespace coppice::pruning {

/// The most frequent reasons why units are locked: `1000 units stay (1000: leaves with a graph output)`; then the first
/// node whose shapes contradict, when there is one.
std::string lock_summary(const Prepared& prepared);

}  // namespace coppice::pruning
