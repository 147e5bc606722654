#pragma once
#include "coppice/torch/pruner.hpp"

namespace coppice::inplace {

/// What the core selects by; Criterion::function() is left to the caller.
pruning::SelectOptions select_options(const PrunerOptions& options);

}  // namespace coppice::inplace
