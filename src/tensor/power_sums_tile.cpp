#include "tensor/power_sums_tile.hpp"

#include <cstdint>
#include <cstring>

#include "coppice/base/error.hpp"

#include "tensor/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/power_sums_tile.cpp"
#include <hwy/cache_control.h>
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
constexpr std::size_t kRun = 8;  // elements a step, the widest vector of any target
constexpr std::size_t kVectors = kRun / kWidth;

template <class T>
HWY_INLINE hn::Vec<hn::Rebind<T, D>> load_raw(const std::byte* at) {
  const hn::Rebind<T, D> d;
#if HWY_TARGET == HWY_SCALAR
  T value;
  std::memcpy(&value, at, sizeof(T));
  return hn::Set(d, value);
#else
  const hn::Repartition<std::uint8_t, decltype(d)> bytes;  // a byte vector may start anywhere
  return hn::BitCast(d, hn::LoadU(bytes, reinterpret_cast<const std::uint8_t*>(at)));
#endif
}

// Each reader turns kWidth stored elements into doubles, without rounding.
struct Float32 {
  static constexpr std::size_t kSize = 4;
  static constexpr bool kQuantised = false;
  static HWY_INLINE V read(const std::byte* at) { return hn::PromoteTo(D(), load_raw<float>(at)); }
};
struct Float64 {
  static constexpr std::size_t kSize = 8;
  static constexpr bool kQuantised = false;
  static HWY_INLINE V read(const std::byte* at) { return load_raw<double>(at); }
};
struct Float16 {
  static constexpr std::size_t kSize = 2;
  static constexpr bool kQuantised = false;
  static HWY_INLINE V read(const std::byte* at) {
    return hn::PromoteTo(D(), hn::PromoteTo(hn::Rebind<float, D>(), load_raw<hwy::float16_t>(at)));
  }
};
struct BFloat16 {
  static constexpr std::size_t kSize = 2;
  static constexpr bool kQuantised = false;
  static HWY_INLINE V read(const std::byte* at) {
    const auto wide = hn::PromoteTo(hn::Rebind<std::uint32_t, D>(), load_raw<std::uint16_t>(at));
    return hn::PromoteTo(D(), hn::BitCast(hn::Rebind<float, D>(), hn::ShiftLeft<16>(wide)));
  }
};
template <class T>
struct Int8 {
  static constexpr std::size_t kSize = 1;
  static constexpr bool kQuantised = true;
  static HWY_INLINE V read(const std::byte* at) {
    return hn::PromoteTo(D(), hn::PromoteTo(hn::Rebind<std::int32_t, D>(), load_raw<T>(at)));
  }
};

template <class Reader, int kPower>
HWY_INLINE V powered(const std::byte* at, V zero) {
  V x = Reader::read(at);
  if constexpr (Reader::kQuantised) x = hn::Sub(x, zero);
  if constexpr (kPower == 1) return hn::Abs(x);
  return hn::Mul(x, x);
}

template <std::size_t kRows>
HWY_INLINE void store_row_sums(const V (&sums)[kRows][kVectors], double* out) {
  for (std::size_t r = 0; r < kRows; ++r) {
    HWY_ALIGN double lanes[kRun];
    for (std::size_t v = 0; v < kVectors; ++v) hn::Store(sums[r][v], D(), lanes + v * kWidth);
    out[r] = ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
  }
}

// kRows rows at once: their column sums meet in registers before they go to memory.
template <class Reader, int kPower, std::size_t kRows>
HWY_INLINE void some_rows(const PowerSumTile& tile, std::size_t first) {
  const D d;
  const std::byte* rows[kRows];
  V zeros[kRows], sums[kRows][kVectors];
  // Local copies: stores through vector types may alias anything, the fields of `tile` included.
  const double* const column_zero = Reader::kQuantised ? tile.column_zero : nullptr;
  double* const column_sums = tile.column_sums;
  const std::size_t columns = tile.columns;
  for (std::size_t r = 0; r < kRows; ++r) {
    rows[r] = tile.data + (first + r) * tile.row_stride;
    zeros[r] = hn::Set(d, Reader::kQuantised && tile.row_zero ? tile.row_zero[first + r] : 0.0);
    for (std::size_t v = 0; v < kVectors; ++v) sums[r][v] = hn::Zero(d);
  }
  const auto step = [&](std::size_t column, const std::byte* const(&at)[kRows], std::size_t valid) HWY_ATTR {
    for (std::size_t v = 0; v < kVectors; ++v) {
      V x[kRows];
      for (std::size_t r = 0; r < kRows; ++r) {
        V zero = zeros[r];
        if (column_zero) zero = hn::Add(zero, hn::LoadU(d, column_zero + column + v * kWidth));
        x[r] = powered<Reader, kPower>(at[r] + v * kWidth * Reader::kSize, zero);
        if (valid < kRun) {
          x[r] = hn::IfThenElseZero(hn::FirstN(d, valid > v * kWidth ? valid - v * kWidth : 0), x[r]);
        }
        sums[r][v] = hn::Add(sums[r][v], x[r]);
      }
      if (column_sums) {
        V sum = x[0];
        if constexpr (kRows == 4) sum = hn::Add(hn::Add(x[0], x[1]), hn::Add(x[2], x[3]));
        double* to = column_sums + column + v * kWidth;
        hn::StoreU(hn::Add(hn::LoadU(d, to), sum), d, to);
      }
    }
  };
  // A row of a tile is about a page long, too short for the machine's own prefetching to get going: ask for the next
  // rows while these are added up.
  const std::size_t ahead = first + 2 * kRows <= tile.rows ? kRows * tile.row_stride : 0;
  std::size_t column = 0;
  for (; column + kRun <= columns; column += kRun) {
    const std::byte* at[kRows];
    for (std::size_t r = 0; r < kRows; ++r) {
      at[r] = rows[r] + column * Reader::kSize;
      if (kRows > 1) hwy::Prefetch(at[r] + ahead);
    }
    step(column, at, kRun);
  }
  if (column < columns) {
    const std::size_t rest = columns - column;
    HWY_ALIGN std::byte tail[kRows][kRun * Reader::kSize] = {};
    const std::byte* at[kRows];
    for (std::size_t r = 0; r < kRows; ++r) {
      std::memcpy(tail[r], rows[r] + column * Reader::kSize, rest * Reader::kSize);
      at[r] = tail[r];
    }
    step(column, at, rest);
  }
  if (tile.row_sums) store_row_sums<kRows>(sums, tile.row_sums + first);
}

template <class Reader, int kPower>
void all_rows(const PowerSumTile& tile) {
  std::size_t row = 0;
  for (; row + 4 <= tile.rows; row += 4) some_rows<Reader, kPower, 4>(tile, row);
  for (; row < tile.rows; ++row) some_rows<Reader, kPower, 1>(tile, row);
}

template <class Reader>
void either_power(const PowerSumTile& tile) {
  if (tile.power == 1) {
    all_rows<Reader, 1>(tile);
  } else {
    all_rows<Reader, 2>(tile);
  }
}

void run(const PowerSumTile& tile) {
  switch (tile.dtype) {
    case DType::float32:
      return either_power<Float32>(tile);
    case DType::float64:
      return either_power<Float64>(tile);
    case DType::float16:
      return either_power<Float16>(tile);
    case DType::bfloat16:
      return either_power<BFloat16>(tile);
    case DType::int8:
      return either_power<Int8<std::int8_t>>(tile);
    case DType::uint8:
      return either_power<Int8<std::uint8_t>>(tile);
    default:
      return;
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace coppice::tensor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coppice::tensor {
HWY_EXPORT(run);

void power_sum_tile(const PowerSumTile& tile) {
  HWY_DYNAMIC_DISPATCH(run)(tile);
}

}  // namespace coppice::tensor
#endif
