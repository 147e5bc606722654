#pragma once
#include <cstdint>
#include <vector>

#include "coppice/graph/infer.hpp"
#include "coppice/graph/model.hpp"
#include "coppice/torch/aten.hpp"

namespace coppice {

/// Inputs that a model can run on, one per graph input without an initializer, in their order: normal numbers for real
/// inputs; whole numbers that stay inside the tables that they select from (Gather), else 0 or 1; random booleans.
/// Extents are those of `world`. The same for the same seed. Throws Error naming an input whose type libtorch does not
/// have, or whose extents are not known.
std::vector<at::Tensor> random_inputs(const graph::Model& model, const graph::World& world, std::uint64_t seed);

}  // namespace coppice
