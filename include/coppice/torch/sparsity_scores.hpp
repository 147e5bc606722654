#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "coppice/sparsity/strategy.hpp"
#include "coppice/torch/calibration.hpp"
#include "coppice/torch/criterion.hpp"
#include "coppice/torch/graph_module.hpp"

/// What zeros are chosen by, told from data: for sparsity::Sparsifier and sparsity::Strategy. The module stays as it
/// was; throws Error as collect() does.
namespace coppice {

/// The criterion's number for every weight of the layers that sparsity::find_sites() lists, as SparsifyOptions::scores
/// takes them: float64. Weights that it does not measure are left out. A criterion per channel gives each weight the
/// number of its output channel. `snip` divides by the sum over these layers.
std::map<std::string, tensor::Tensor, std::less<>> sparsity_scores(GraphModule& module, const Criterion& criterion,
                                                                   const Calibration& calibration = {},
                                                                   std::uint64_t seed = 0);

/// Sets what the strategies of ShrinkBench look at: gradients where the calibration has a loss, and the norms of the
/// layers' inputs and outputs.
void look_at_data(GraphModule& module, const Calibration& calibration, sparsity::StrategyOptions& options);

}  // namespace coppice
