#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "coppice/sparsity/sparsifier.hpp"
#include "coppice/tensor/smallest.hpp"

namespace coppice::sparsity {

/// A site that takes part, and the constant's tensor.
struct Entrant {
  Site site;
  tensor::Tensor tensor;
  std::uint64_t number =
      0;  ///< Among all sites of the model, so that a random draw does not depend on who else competes.
};

/// The score of each weight; none where it is |w| itself. Throws Error on NaN that it sees.
std::optional<tensor::Scores> weight_scores(const Entrant& entrant, const SparsifyOptions& options);
/// The score of each unit. Throws Error on NaN, naming the weight.
std::vector<double> unit_scores(const Entrant& entrant, const tensor::Units& units, const SparsifyOptions& options);
/// Throws Error for a criterion that tells nothing of single weights.
void check_criterion(importance::Criterion criterion);

}  // namespace coppice::sparsity
