#pragma once
#include <string>

#include "coppice/tensor/tensor.hpp"

namespace coppice::formats {

struct NamedTensor {
  std::string name;
  tensor::Tensor tensor;
};

}  // namespace coppice::formats
