#pragma once
#include <array>
#include <cstdint>
#include <optional>

#include "coppice/tensor/tensor.hpp"

namespace coppice::tensor {

/// Where the zeros of a tensor lie, all from one pass over its bytes. Zeros of either sign count, exactly.
struct ZeroStructure {
  static constexpr std::array<int, 5> group_sizes{2, 4, 8, 16, 32};

  std::int64_t zeros = 0;
  /// For each of group_sizes: the most elements other than zero in any group of so many neighbours on the last axis,
  /// counted from its start. Nothing where the axis is no multiple of the size.
  std::array<std::optional<int>, group_sizes.size()> most;
  /// Indices of the first and of the second axis at which all elements are zero; nothing where it was not counted.
  std::optional<std::int64_t> zero_rows, zero_columns;
};

/// Reals, whole numbers, booleans and 8-bit floats; of packed and complex types only the zeros are counted, and so of
/// tensors with fewer than two axes or without elements. Columns are left out where one row has more than 2^22
/// elements. Streamed bytes are given back on the way. Throws Error for strings and unknown types.
ZeroStructure zero_structure(const Tensor& tensor);

}  // namespace coppice::tensor
