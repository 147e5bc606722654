#include "tensor/gram_tile.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "tensor/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/gram_tile.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace coppice::tensor {
namespace HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<double>;
using V = hn::Vec<D>;
constexpr std::size_t kWidth = hn::MaxLanes(D());
constexpr std::size_t kVectors = 3;
// Together with kVectors these fill most of the 16 or 32 vector registers with sums.
constexpr std::size_t kRows = kWidth == 8 ? 8 : 4;
constexpr std::size_t kColumns = kVectors * kWidth;
constexpr std::size_t kDepth = 128;  // a packed strip of columns fits the first-level cache
static_assert(kGramTile % kRows == 0 && kGramTile % kColumns == 0);

// Strips of kStrip rows, each stored depth by depth; missing rows become zeros.
template <class T, std::size_t kStrip>
void pack(const std::byte* data, std::size_t row_stride, std::size_t rows, std::size_t first, std::size_t depth,
          double* out) {
  for (std::size_t strip = 0; strip < rows; strip += kStrip, out += kStrip * depth) {
    for (std::size_t r = 0; r < kStrip; ++r) {
      if (strip + r >= rows) {
        for (std::size_t k = 0; k < depth; ++k) out[k * kStrip + r] = 0;
        continue;
      }
      const std::byte* from = data + (strip + r) * row_stride + first * sizeof(T);
      for (std::size_t k = 0; k < depth; ++k) {
        T value;
        std::memcpy(&value, from + k * sizeof(T), sizeof(T));
        out[k * kStrip + r] = static_cast<double>(value);
      }
    }
  }
}

// Products of floats are exact in double, so there a fused step rounds like two; products of doubles are rounded first.
template <bool kExact>
void multiply(const double* a, const double* b, std::size_t depth, double* out) {
  const D d;
  V sums[kRows][kVectors];
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t v = 0; v < kVectors; ++v) sums[r][v] = hn::LoadU(d, out + r * kGramTile + v * kWidth);
  }
  for (std::size_t k = 0; k < depth; ++k, a += kRows, b += kColumns) {
    V columns[kVectors];
    for (std::size_t v = 0; v < kVectors; ++v) columns[v] = hn::LoadU(d, b + v * kWidth);
    for (std::size_t r = 0; r < kRows; ++r) {
      const V row = hn::Set(d, a[r]);
      for (std::size_t v = 0; v < kVectors; ++v) {
        if constexpr (kExact) {
          sums[r][v] = hn::MulAdd(row, columns[v], sums[r][v]);
        } else {
          sums[r][v] = hn::Add(sums[r][v], hn::Mul(row, columns[v]));
        }
      }
    }
  }
  for (std::size_t r = 0; r < kRows; ++r) {
    for (std::size_t v = 0; v < kVectors; ++v) hn::StoreU(sums[r][v], d, out + r * kGramTile + v * kWidth);
  }
}

template <class T>
void run_type(const GramTile& tile) {
  std::vector<double> packed_a(kGramTile * kDepth), packed_b(kGramTile * kDepth);
  std::fill(tile.out, tile.out + kGramTile * kGramTile, 0.0);
  for (std::size_t first = 0; first < tile.depth; first += kDepth) {
    const std::size_t depth = std::min(kDepth, tile.depth - first);
    pack<T, kRows>(tile.a, tile.row_stride, tile.rows_a, first, depth, packed_a.data());
    pack<T, kColumns>(tile.b, tile.row_stride, tile.rows_b, first, depth, packed_b.data());
    for (std::size_t j = 0; j < tile.rows_b; j += kColumns) {
      for (std::size_t i = 0; i < tile.rows_a; i += kRows) {
        multiply<sizeof(T) == sizeof(float)>(packed_a.data() + i * depth, packed_b.data() + j * depth, depth,
                                             tile.out + i * kGramTile + j);
      }
    }
  }
}

void run(const GramTile& tile) {
  if (tile.wide) {
    run_type<double>(tile);
  } else {
    run_type<float>(tile);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace coppice::tensor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coppice::tensor {
HWY_EXPORT(run);

void gram_tile(const GramTile& tile) {
  HWY_DYNAMIC_DISPATCH(run)(tile);
}

}  // namespace coppice::tensor
#endif
