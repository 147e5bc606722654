#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "coppice/tensor/tensor.hpp"

/// Forms of a tensor that leave zeros out. An element is *filled* when any of its bits is set: of -0.0 and NaN the bits
/// are kept, only +0 is left out. For elements of 1, 2, 4 and 8 bytes; bytes may be unaligned. All cores take part, and
/// streamed bytes are given back on the way.
namespace coppice::tensor {

/// Whether elements of this type can be left out.
bool can_leave_out(DType dtype);

/// Filled elements. Throws Error for a type that can_leave_out() denies.
std::int64_t count_filled(const Tensor& tensor);

/// The filled elements alone, in memory order; `out` holds count_filled() of them.
void filled_values(const Tensor& tensor, std::span<std::byte> out);
/// Their places in memory order, which ascend; `out` holds count_filled() of them.
void filled_places(const Tensor& tensor, std::span<std::int64_t> out);
/// The opposite: zeros, and `values` of `width` bytes at `places`. Places must lie within `out`.
void put_filled(std::span<const std::byte> values, std::span<const std::byte> places, std::size_t width,
                std::span<std::byte> out);

/// A tensor as `rows` of `columns` elements, one bit an element: bit j % 8 of byte j / 8 of a row is element j; every
/// row begins with a byte of its own, and bits behind its end are 0. As numpy.packbits(axis=-1, bitorder="little").
struct Rows {
  std::int64_t rows = 0, columns = 0;
  std::int64_t row_bytes() const { return columns / 8 + (columns % 8 != 0); }
};
/// The first axis against the others together; a vector is one row.
Rows rows_of(std::span<const std::int64_t> shape);

/// Writes the bits (rows x row_bytes()), and for every row how many filled elements stand before it.
void write_bitmask(const Tensor& tensor, const Rows& rows, std::span<std::byte> bits, std::span<std::int64_t> before);

/// The tensor's bytes from its filled values. Throws Error where the bits, the numbers before each row and the number
/// of values do not fit each other; `out` is then in parts written.
void expand_bitmask(std::span<const std::byte> bits, std::span<const std::byte> before,
                    std::span<const std::byte> values, const Rows& rows, std::size_t width, std::span<std::byte> out);

}  // namespace coppice::tensor
