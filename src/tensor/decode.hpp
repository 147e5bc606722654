#pragma once
#include <cstddef>
#include <cstdint>

#include "coppice/tensor/tensor.hpp"

namespace coppice::tensor {

/// Elements [first, first + count) as doubles; for every type with has_magnitude(). 64-bit integers may round.
void decode(const Tensor& tensor, std::int64_t first, std::size_t count, double* out);

/// Element `index` of a packed 4-bit tensor: two elements a byte, the low half first.
inline unsigned nibble(const std::byte* data, std::int64_t index) {
  const unsigned pair = std::to_integer<unsigned>(data[index / 2]);
  return index % 2 == 0 ? pair & 0xfu : pair >> 4;
}

}  // namespace coppice::tensor
