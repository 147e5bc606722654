#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "coppice/tensor/dtype.hpp"

namespace coppice::tensor {

/// Of doubles.
inline constexpr std::int64_t kInfinityKey = std::bit_cast<std::int64_t>(std::numeric_limits<double>::infinity());

/// The bits of infinity: larger ones, without the sign, are NaN.
constexpr std::int64_t infinity_key(DType dtype) {
  switch (dtype) {
    case DType::float16:
      return 0x7c00;
    case DType::bfloat16:
      return 0x7f80;
    case DType::float32:
      return 0x7f800000;
    default:
      return kInfinityKey;
  }
}

/// Whole numbers in the order of the scores; NaN is beyond infinity.
inline std::int64_t score_key(double score) {
  if (std::isnan(score)) return kInfinityKey + 1;
  const auto bits = std::bit_cast<std::int64_t>(score + 0.0);  // -0 becomes 0
  return bits >= 0 ? bits : bits ^ std::numeric_limits<std::int64_t>::max();
}

}  // namespace coppice::tensor
