#pragma once
#include "coppice/tensor/tensor.hpp"

namespace coppice::pruning {

/// Whether work on this tensor is left until it is written. A model whose tensors lie in a side file may be larger than
/// memory; small tensors are still worth doing all at once.
inline bool waits(const tensor::Tensor& tensor) {
  return tensor.bytes.mapped() && tensor.bytes.size() >= std::size_t{1} << 16;
}

}  // namespace coppice::pruning
