#pragma once
#include <vector>

#include "coppice/graph/infer.hpp"

#include "graph/worlds/dims.hpp"

namespace coppice::graph::worlds {

/// How the dynamic dimensions of one world are chosen.
struct Recipe {
  std::int64_t batch = 2, height = 224, width = 256, depth = 16, sequence = 12, past = 7, other = 10;
  bool by_role = false;       ///< Dimensions of one role are equal, instead of each having an extent of its own.
  bool total_is_sum = false;  ///< Lengths of masks are past + sequence, instead of equal to the sequence.
};

/// Extent of each dimension: fixed[i] where it is not negative, the value of an expression, else by the recipe, where
/// those in `avoid[i]` (if given) are not taken.
std::vector<std::int64_t> extents(const Inputs& inputs, const Recipe& recipe, const std::vector<std::int64_t>& fixed,
                                  const std::vector<std::int64_t>* avoid);

World world_of(const Graph& graph, const Inputs& inputs, const std::vector<std::int64_t>& extents);

}  // namespace coppice::graph::worlds
