#pragma once
#include <span>
#include <string_view>

namespace coppice::cli {

/// What a criterion of coppice-torch needs beside the model.
enum class Needs { gradients, activations, snapshot };

struct TorchCriterion {
  std::string_view name;
  Needs needs;
};

/// The criteria that look at more than the weights, by the names of coppice/torch/criterion.hpp.
std::span<const TorchCriterion> torch_criteria();
/// Null for any other name.
const TorchCriterion* find_torch_criterion(std::string_view name);

}  // namespace coppice::cli
