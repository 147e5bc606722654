#pragma once
#include <compare>
#include <cstdint>
#include <vector>

#include "coppice/tensor/tensor.hpp"

namespace coppice::pruning {

/// What tells the slices of a tensor apart: two 64-bit hashes of a slice's bytes.
struct Slice {
  std::uint64_t a = 0, b = 0;
  friend auto operator<=>(const Slice&, const Slice&) = default;
};
using Slices = std::vector<Slice>;

/// One per index of the axis, of any type whose bit width is known. One pass over the bytes.
Slices slices(const tensor::Tensor& tensor, std::size_t axis);

}  // namespace coppice::pruning
