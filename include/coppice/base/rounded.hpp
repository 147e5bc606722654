#pragma once
#include <cmath>
#include <cstdint>
#include <limits>

namespace coppice::base {

/// The nearest whole number; the largest or smallest of int64 for what lies beyond, 0 for what is no number.
inline std::int64_t rounded(double number) {
  constexpr double beyond = 9223372036854775808.0;  // 2^63, the first that int64 cannot hold
  if (std::isnan(number)) return 0;
  if (number >= beyond) return std::numeric_limits<std::int64_t>::max();
  if (number < -beyond) return std::numeric_limits<std::int64_t>::min();
  return std::llround(number);
}

}  // namespace coppice::base
