#pragma once
#include "coppice/torch/libtorch.hpp"

namespace coppice {

/// Where a module's first parameter is; without any, the CPU.
inline at::Device device_of(const torch::nn::Module& module) {
  for (const auto& item : module.named_parameters())
    if (item.value().defined()) return item.value().device();
  return at::Device(at::kCPU);
}

}  // namespace coppice
