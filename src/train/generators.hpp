#pragma once
#include <cstdint>
#include <vector>

#include "coppice/torch/libtorch.hpp"

namespace coppice {

/// Sets libtorch's generators, of the CPU and of the module's device, to a seed made from both numbers.
void seed_generators(const torch::nn::Module& module, std::uint64_t seed, std::int64_t epoch);
/// Their states: tensors of bytes.
std::vector<at::Tensor> generator_states(const torch::nn::Module& module);
void set_generators(const torch::nn::Module& module, const std::vector<at::Tensor>& states);

}  // namespace coppice
