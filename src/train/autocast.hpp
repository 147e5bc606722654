#pragma once
#include <vector>

#include "coppice/torch/libtorch.hpp"
#include "coppice/train/precision.hpp"

namespace coppice {

/// While it lives, libtorch's autocast is on for a device, in this thread.
class Autocast {
 public:
  Autocast(Precision precision, at::Device device);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  Precision precision_;
  at::Device device_;
  bool before_ = false;
  at::ScalarType type_before_ = at::kFloat;
};

/// Those of bfloat16 as float32; the others as they are.
std::vector<at::Tensor> at_full_precision(std::vector<at::Tensor> tensors);

}  // namespace coppice
