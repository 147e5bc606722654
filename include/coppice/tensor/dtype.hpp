#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace coppice::tensor {

/// Element types, numbered as in ONNX's TensorProto.DataType. A number outside this list may appear in a file that is
/// newer than this library; bit_width() of such a type is 0 and its bytes are carried along unread.
enum class DType : std::int32_t {
  undefined = 0,
  float32 = 1,
  uint8 = 2,
  int8 = 3,
  uint16 = 4,
  int16 = 5,
  int32 = 6,
  int64 = 7,
  string = 8,
  boolean = 9,
  float16 = 10,
  float64 = 11,
  uint32 = 12,
  uint64 = 13,
  complex64 = 14,
  complex128 = 15,
  bfloat16 = 16,
  float8e4m3fn = 17,
  float8e4m3fnuz = 18,
  float8e5m2 = 19,
  float8e5m2fnuz = 20,
  uint4 = 21,
  int4 = 22,
  float4e2m1 = 23,
};

/// Bits of one element: 4 for the packed types, 0 for strings, undefined and unknown types.
int bit_width(DType dtype);

/// Bytes of `elements` elements as ONNX stores them (packed types round up).
std::size_t byte_size(DType dtype, std::int64_t elements);

/// fp64, fp32, fp16, bf16: the types that weights are scored in.
bool is_real(DType dtype);

/// Whole numbers and booleans of 8 bits or more.
bool is_integer(DType dtype);

/// "float32", "int64", ...; "unknown" for a type outside the list.
std::string_view name(DType dtype);

float half_to_float(std::uint16_t bits);
std::uint16_t float_to_half(float value);
inline float bfloat16_to_float(std::uint16_t bits) {
  const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
  float out;
  __builtin_memcpy(&out, &wide, 4);
  return out;
}
/// Rounds to nearest even.
std::uint16_t float_to_bfloat16(float value);

}  // namespace coppice::tensor
