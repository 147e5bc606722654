#pragma once
#include <memory>
#include <vector>

#include <torch/optim/optimizer.h>

#include "coppice/torch/libtorch.hpp"

namespace coppice::inplace {

/// All that an optimizer remembers of its parameters, and the options of its groups; copies.
struct OptimizerMemory {
  std::vector<std::vector<std::unique_ptr<torch::optim::OptimizerParamState>>> states;  ///< By group and parameter.
  std::vector<std::unique_ptr<torch::optim::OptimizerOptions>> options;                 ///< By group.
};

/// Throws Error as state_tensors() does.
OptimizerMemory remember(torch::optim::Optimizer& optimizer);
OptimizerMemory copy(const OptimizerMemory& memory);
/// Puts an optimizer of the same parameters back. Throws Error, and changes nothing, for one with other groups.
void recall(torch::optim::Optimizer& optimizer, OptimizerMemory memory);

}  // namespace coppice::inplace
