#pragma once
#include <vector>

#include "coppice/torch/libtorch.hpp"

namespace coppice::inplace {

/// What a module that begins with a Conv2d or a Linear usually takes, filled with ones; nothing for a GraphModule,
/// whose graph tells by itself. Throws Error for other modules: their example inputs must be given.
std::vector<at::Tensor> usual_inputs(torch::nn::Module& module);

}  // namespace coppice::inplace
