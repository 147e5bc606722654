#pragma once
#include <cstddef>

#include "coppice/tensor/tensor.hpp"

namespace coppice::pruning {

/// Work on tensors from this size on may be left until they are written; small ones are worth doing all at once.
inline constexpr std::size_t waiting_from = std::size_t{1} << 16;

/// Whether the cut of this tensor waits: it lies in a side file, and the model may be larger than memory.
inline bool waits(const tensor::Tensor& tensor) {
  return tensor.bytes.streamed() && tensor.bytes.size() >= waiting_from;
}

}  // namespace coppice::pruning
