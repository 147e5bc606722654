#pragma once
#include <cstdint>
#include <vector>

#include "coppice/pruning/prepare.hpp"
#include "coppice/train/impact.hpp"

namespace coppice::impact {

/// A copy of the model that the method was applied to. Throws Error where the model does not allow it.
graph::Model applied(const graph::Model& model, const ImpactMethod& method, const ImpactOptions& options);

/// By group: whether its units are attention heads, that is, whether a product of two activations runs over them
/// side by side.
std::vector<bool> head_groups(const pruning::Prepared& prepared);

}  // namespace coppice::impact
