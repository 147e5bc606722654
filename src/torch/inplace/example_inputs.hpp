#pragma once
#include <vector>

#include "coppice/torch/libtorch.hpp"

namespace coppice::inplace {

/// What a module that begins with a Conv2d or a Linear usually takes, with random values that depend on nothing. Throws
/// Error for other modules: their example inputs must be given.
std::vector<at::Tensor> usual_inputs(torch::nn::Module& module);

}  // namespace coppice::inplace
