#pragma once
#include <string>
#include <utility>
#include <vector>

#include "coppice/torch/libtorch.hpp"

namespace coppice {

/// The parameters of a module, then its buffers, with their names; the module's own tensors, those that are defined.
inline std::vector<std::pair<std::string, at::Tensor>> tensors_of(const torch::nn::Module& module) {
  std::vector<std::pair<std::string, at::Tensor>> out;
  for (const auto& item : module.named_parameters())
    if (item.value().defined()) out.emplace_back(item.key(), item.value());
  for (const auto& item : module.named_buffers())
    if (item.value().defined()) out.emplace_back(item.key(), item.value());
  return out;
}

}  // namespace coppice
