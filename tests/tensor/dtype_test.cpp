#include "coppice/tensor/dtype.hpp"

#include <bit>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace coppice::tensor {
namespace {

struct Known {
  DType dtype;
  int number, bits;
  std::string_view name;
  bool real, integer;
};

// Numbers as in ONNX's TensorProto.DataType.
constexpr Known known[] = {
    {DType::undefined, 0, 0, "undefined", false, false},
    {DType::float32, 1, 32, "float32", true, false},
    {DType::uint8, 2, 8, "uint8", false, true},
    {DType::int8, 3, 8, "int8", false, true},
    {DType::uint16, 4, 16, "uint16", false, true},
    {DType::int16, 5, 16, "int16", false, true},
    {DType::int32, 6, 32, "int32", false, true},
    {DType::int64, 7, 64, "int64", false, true},
    {DType::string, 8, 0, "string", false, false},
    {DType::boolean, 9, 8, "bool", false, true},
    {DType::float16, 10, 16, "float16", true, false},
    {DType::float64, 11, 64, "float64", true, false},
    {DType::uint32, 12, 32, "uint32", false, true},
    {DType::uint64, 13, 64, "uint64", false, true},
    {DType::complex64, 14, 64, "complex64", false, false},
    {DType::complex128, 15, 128, "complex128", false, false},
    {DType::bfloat16, 16, 16, "bfloat16", true, false},
    {DType::float8e4m3fn, 17, 8, "float8e4m3fn", false, false},
    {DType::float8e4m3fnuz, 18, 8, "float8e4m3fnuz", false, false},
    {DType::float8e5m2, 19, 8, "float8e5m2", false, false},
    {DType::float8e5m2fnuz, 20, 8, "float8e5m2fnuz", false, false},
    {DType::uint4, 21, 4, "uint4", false, false},
    {DType::int4, 22, 4, "int4", false, false},
    {DType::float4e2m1, 23, 4, "float4e2m1", false, false},
};

TEST(DType, EveryValue) {
  for (const Known& k : known) {
    EXPECT_EQ(static_cast<int>(k.dtype), k.number) << k.name;
    EXPECT_EQ(bit_width(k.dtype), k.bits) << k.name;
    EXPECT_EQ(name(k.dtype), k.name);
    EXPECT_EQ(is_real(k.dtype), k.real) << k.name;
    EXPECT_EQ(is_integer(k.dtype), k.integer) << k.name;
  }
}

TEST(DType, NumbersOfNewerFiles) {
  const auto later = static_cast<DType>(99);
  EXPECT_EQ(bit_width(later), 0);
  EXPECT_EQ(name(later), "unknown");
  EXPECT_FALSE(is_real(later) || is_integer(later));
}

TEST(DType, BytesOfPackedTypesRoundUp) {
  EXPECT_EQ(byte_size(DType::float32, 5), 20U);
  EXPECT_EQ(byte_size(DType::int4, 4), 2U);
  EXPECT_EQ(byte_size(DType::int4, 5), 3U);
  EXPECT_EQ(byte_size(DType::complex128, 2), 32U);
}

// The value that the bits of a format with `exponent_bits` and `fraction_bits` stand for, by the definition of IEEE
// 754.
double decoded(std::uint32_t bits, int exponent_bits, int fraction_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const auto fraction = static_cast<double>(bits & ((1U << fraction_bits) - 1));
  const int exponent = static_cast<int>(bits >> fraction_bits) & ((1 << exponent_bits) - 1);
  const double sign = bits >> (exponent_bits + fraction_bits) ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1) return fraction == 0 ? sign * INFINITY : NAN;
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias - fraction_bits);
  return sign * std::ldexp(fraction + std::ldexp(1.0, fraction_bits), exponent - bias - fraction_bits);
}

TEST(Half, EveryValueThereAndBack) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = half_to_float(half);
    const double expected = decoded(bits, 5, 10);
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(value)) << bits;
      EXPECT_TRUE(std::isnan(half_to_float(float_to_half(value)))) << bits;
      continue;
    }
    ASSERT_EQ(static_cast<double>(value), expected) << bits;
    ASSERT_EQ(std::signbit(value), bits >= 0x8000) << bits;
    ASSERT_EQ(float_to_half(value), half) << bits;
  }
}

TEST(BFloat16, EveryValueThereAndBack) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto narrow = static_cast<std::uint16_t>(bits);
    const float value = bfloat16_to_float(narrow);
    const double expected = decoded(bits, 8, 7);
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(value)) << bits;
      EXPECT_TRUE(std::isnan(bfloat16_to_float(float_to_bfloat16(value)))) << bits;
      continue;
    }
    ASSERT_EQ(static_cast<double>(value), expected) << bits;
    ASSERT_EQ(float_to_bfloat16(value), narrow) << bits;
  }
}

// Between neighbours a and b: below the middle goes to a, above it to b, the middle to the one with an even fraction.
template <class ToFloat, class FromFloat>
void rounds_to_even(ToFloat to_float, FromFloat from_float, std::uint32_t largest) {
  for (std::uint32_t bits = 0; bits < largest; ++bits) {
    const double a = to_float(static_cast<std::uint16_t>(bits)), b = to_float(static_cast<std::uint16_t>(bits + 1));
    const auto middle = static_cast<float>((a + b) / 2);
    ASSERT_EQ(static_cast<double>(middle), (a + b) / 2);  // it fits a float exactly
    ASSERT_EQ(from_float(middle), bits % 2 == 0 ? bits : bits + 1) << bits;
    ASSERT_EQ(from_float(std::nextafter(middle, -INFINITY)), bits) << bits;
    ASSERT_EQ(from_float(std::nextafter(middle, INFINITY)), bits + 1) << bits;
  }
}

TEST(Half, RoundsToEven) {
  rounds_to_even(half_to_float, float_to_half, 0x7bff);
  EXPECT_EQ(float_to_half(65519.996F), 0x7bff);
  EXPECT_EQ(float_to_half(65520), 0x7c00);
  EXPECT_EQ(float_to_half(-1e30F), 0xfc00);
  EXPECT_EQ(float_to_half(1e-30F), 0);
}

TEST(BFloat16, RoundsToEven) {
  rounds_to_even(bfloat16_to_float, float_to_bfloat16, 0x7f7f);
  EXPECT_EQ(float_to_bfloat16(std::numeric_limits<float>::max()), 0x7f80);
}

}  // namespace
}  // namespace coppice::tensor
