#pragma once
#include <optional>
#include <string>

#include "coppice/pruning/plan.hpp"
#include "coppice/torch/libtorch.hpp"

namespace coppice {

/// Writes a module's parameters and buffers, whatever their widths, as torch::save() does, and beside them what a fresh
/// module needs to take them: the groups of its convolutions and norms and, when given, the plan by which it was
/// pruned. The file is complete or not there. Throws Error when writing fails.
void save(const torch::nn::Module& module, const std::string& path, const std::optional<pruning::Plan>& plan = {});

/// Reads such a file into a module of the same class, as its constructor made it: every tensor takes the width that it
/// has in the file, and the layers' options tell it. With a plan in the file, the module must be what the plan was made
/// for: parameters of the lengths that it cuts. Returns the plan. Tensors stay on their devices. Throws Error, and
/// leaves the module as it was, when the file cannot be read, is not of this form, or is of another module.
std::optional<pruning::Plan> load(torch::nn::Module& module, const std::string& path);

template <class Impl>
void save(const torch::nn::ModuleHolder<Impl>& module, const std::string& path,
          const std::optional<pruning::Plan>& plan = {}) {
  save(*module, path, plan);
}
template <class Impl>
std::optional<pruning::Plan> load(torch::nn::ModuleHolder<Impl>& module, const std::string& path) {
  return load(*module, path);
}

}  // namespace coppice
