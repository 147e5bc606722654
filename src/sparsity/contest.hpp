#pragma once
#include <vector>

#include "sparsity/scores.hpp"

namespace coppice::sparsity {

/// How many weights of all entrants together are to go.
std::int64_t target(const std::vector<Entrant>& entrants, double sparsity);

/// The masks of entrants that compete with one another for `sparsity` of their weights.
std::vector<tensor::Mask> compete(const std::vector<Entrant>& entrants, double sparsity,
                                  const SparsifyOptions& options);

}  // namespace coppice::sparsity
