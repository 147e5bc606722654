#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "coppice/tensor/tensor.hpp"

namespace coppice::tensor {

/// The sizes of groups of neighbours that are looked at.
inline constexpr std::array<int, 5> zero_group_sizes{2, 4, 8, 16, 32};
/// For each of zero_group_sizes: the most elements other than zero in any group of so many neighbours on one axis,
/// counted from its start. Nothing where the axis is no multiple of the size.
using ZeroGroups = std::array<std::optional<int>, zero_group_sizes.size()>;

/// Where the zeros of a tensor lie, all from one pass over its bytes. Zeros of either sign count, exactly.
struct ZeroStructure {
  std::int64_t zeros = 0;
  ZeroGroups most;  ///< On the last axis.
  /// Indices of the first and of the second axis at which all elements are zero; nothing where it was not counted.
  std::optional<std::int64_t> zero_rows, zero_columns;
};

/// Reals, whole numbers, booleans and 8-bit floats; of packed and complex types only the zeros are counted, and so of
/// tensors with fewer than two axes or without elements. Columns are left out where one row has more than 2^22
/// elements. Streamed bytes are given back on the way. Throws Error for strings and unknown types.
ZeroStructure zero_structure(const Tensor& tensor);

/// The groups on another axis, also from one pass. All are nothing for packed and complex types and where there are no
/// elements. Throws Error for strings, unknown types and an axis that the tensor does not have.
ZeroGroups zero_groups(const Tensor& tensor, std::size_t axis);

}  // namespace coppice::tensor
