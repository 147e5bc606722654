#pragma once
#include <vector>

#include "coppice/torch/libtorch.hpp"

namespace torch::optim {
class Optimizer;
class OptimizerParamState;
}  // namespace torch::optim

namespace coppice::inplace {

/// The tensors that an optimizer remembers of a parameter (momentum, moments, sums); empty before its first step.
/// Throws Error for an optimizer whose memory is of another form (LBFGS, user-defined ones).
std::vector<at::Tensor*> state_tensors(torch::optim::Optimizer& optimizer, const at::Tensor& parameter);
/// The same of one parameter's state.
std::vector<at::Tensor*> state_tensors(torch::optim::OptimizerParamState& state);

}  // namespace coppice::inplace
