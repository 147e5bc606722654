#pragma once
#include <cstddef>

namespace coppice::tensor {

/// Rows and columns of a tile of the Gram matrix.
inline constexpr std::size_t kGramTile = 192;

/// Two sets of up to kGramTile rows of `depth` numbers, which lie row_stride bytes apart and may be unaligned.
struct GramTile {
  const std::byte* a = nullptr;
  const std::byte* b = nullptr;
  std::size_t row_stride = 0;
  std::size_t rows_a = 0, rows_b = 0, depth = 0;
  bool wide = false;      ///< double, otherwise float.
  double* out = nullptr;  ///< kGramTile x kGramTile, overwritten.
};

/// out[i][j] = sum of a[i][k] * b[j][k], added up in the order of k in double precision, on every machine alike.
void gram_tile(const GramTile& tile);

}  // namespace coppice::tensor
