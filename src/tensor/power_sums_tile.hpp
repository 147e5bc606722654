#pragma once
#include <cstddef>

#include "coppice/tensor/dtype.hpp"

namespace coppice::tensor {

/// A rectangle of elements whose rows are contiguous and lie row_stride bytes apart.
struct PowerSumTile {
  const std::byte* data = nullptr;
  std::size_t row_stride = 0;
  std::size_t rows = 0, columns = 0;
  DType dtype = DType::float32;         ///< float32, float64, float16, bfloat16, int8 or uint8.
  int power = 1;                        ///< 1 or 2.
  const double* row_zero = nullptr;     ///< Subtracted from row r: `rows` values, or null. Whole-number types only.
  const double* column_zero = nullptr;  ///< Subtracted from column c: `columns` values, padded by 8; or null.
  double* row_sums = nullptr;           ///< Overwritten: `rows` values; or null.
  double* column_sums = nullptr;        ///< Added to: `columns` values, padded by 8; or null.
};

/// Adds up |x - zero|^power along rows and columns. Row sums run in eight interleaved partial sums whatever the vector
/// width of the machine, so the result is the same on all of them.
void power_sum_tile(const PowerSumTile& tile);

}  // namespace coppice::tensor
