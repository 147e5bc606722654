#pragma once
#include <cstdint>
#include <vector>

#include "coppice/graph/infer.hpp"
#include "coppice/graph/model.hpp"
#include "coppice/torch/aten.hpp"

namespace coppice {

/// Inputs that a model can run on, one per graph input without an initializer, in their order: normal numbers for real
/// inputs; whole numbers that stay inside the tables that they select from, or what is always possible where they shape
/// the computation, else 0 or 1, as truth values are. What may be a mask begins with a one along its last axis, so that
/// something is left. Extents are those of `world`. The same for the same seed. Throws Error naming an input whose type
/// libtorch does not have, or whose extents are not known.
std::vector<at::Tensor> random_inputs(const graph::Model& model, const graph::World& world, std::uint64_t seed);

}  // namespace coppice
