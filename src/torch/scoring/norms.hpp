#pragma once
#include "coppice/torch/evidence.hpp"

namespace coppice::scoring {

/// Fills the axes and, as `options` ask for, the norms of `evidence`, for the weights that it has.
void add_norms(Evidence& evidence, const CriterionOptions& options, const Calibration& calibration,
               const Activations& activations);

}  // namespace coppice::scoring
