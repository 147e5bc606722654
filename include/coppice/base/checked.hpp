#pragma once
#include <cstdint>
#include <optional>
#include <span>

namespace coppice::base {

/// Product of two sizes, or nothing on overflow of int64 or a negative factor.
inline std::optional<std::int64_t> checked_mul(std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  if (a < 0 || b < 0 || __builtin_mul_overflow(a, b, &out)) return std::nullopt;
  return out;
}

/// Sum of two sizes, or nothing on overflow.
inline std::optional<std::int64_t> checked_add(std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  if (__builtin_add_overflow(a, b, &out)) return std::nullopt;
  return out;
}

/// Product of all extents (1 for a scalar), or nothing on overflow or a negative extent.
inline std::optional<std::int64_t> checked_product(std::span<const std::int64_t> extents) {
  std::int64_t out = 1;
  bool zero = false, overflow = false;
  for (std::int64_t extent : extents) {
    if (extent < 0) return std::nullopt;
    zero = zero || extent == 0;
    overflow = overflow || __builtin_mul_overflow(out, extent, &out);
  }
  if (zero) return 0;
  if (overflow) return std::nullopt;
  return out;
}

}  // namespace coppice::base
