#pragma once
#include <cstdint>
#include <utility>
#include <vector>

#include "coppice/torch/libtorch.hpp"

namespace coppice::scoring {

/// Puts a module into evaluation mode and seeds libtorch's generators; both are as before when this is destroyed.
class Undisturbed {
 public:
  /// The generators of the CPU and, where `device` is another one, of that.
  Undisturbed(torch::nn::Module& module, at::Device device, std::uint64_t seed);
  ~Undisturbed();
  Undisturbed(const Undisturbed&) = delete;
  Undisturbed& operator=(const Undisturbed&) = delete;

 private:
  std::vector<std::pair<torch::nn::Module*, bool>> modes_;  // parents first
  std::vector<std::pair<at::Generator, at::Tensor>> states_;
};

}  // namespace coppice::scoring
