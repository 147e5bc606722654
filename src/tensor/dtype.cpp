#include "coppice/tensor/dtype.hpp"

#include <cstring>

namespace coppice::tensor {

int bit_width(DType dtype) {
  switch (dtype) {
    case DType::uint4:
    case DType::int4:
    case DType::float4e2m1:
      return 4;
    case DType::uint8:
    case DType::int8:
    case DType::boolean:
    case DType::float8e4m3fn:
    case DType::float8e4m3fnuz:
    case DType::float8e5m2:
    case DType::float8e5m2fnuz:
      return 8;
    case DType::uint16:
    case DType::int16:
    case DType::float16:
    case DType::bfloat16:
      return 16;
    case DType::float32:
    case DType::int32:
    case DType::uint32:
      return 32;
    case DType::int64:
    case DType::uint64:
    case DType::float64:
    case DType::complex64:
      return 64;
    case DType::complex128:
      return 128;
    case DType::undefined:
    case DType::string:
      return 0;
  }
  return 0;
}

std::size_t byte_size(DType dtype, std::int64_t elements) {
  return (static_cast<std::size_t>(elements) * static_cast<std::size_t>(bit_width(dtype)) + 7) / 8;
}

bool is_real(DType dtype) {
  return dtype == DType::float32 || dtype == DType::float16 || dtype == DType::bfloat16 || dtype == DType::float64;
}

bool is_integer(DType dtype) {
  switch (dtype) {
    case DType::uint8:
    case DType::int8:
    case DType::uint16:
    case DType::int16:
    case DType::int32:
    case DType::int64:
    case DType::uint32:
    case DType::uint64:
    case DType::boolean:
      return true;
    default:
      return false;
  }
}

std::string_view name(DType dtype) {
  switch (dtype) {
    case DType::undefined:
      return "undefined";
    case DType::float32:
      return "float32";
    case DType::uint8:
      return "uint8";
    case DType::int8:
      return "int8";
    case DType::uint16:
      return "uint16";
    case DType::int16:
      return "int16";
    case DType::int32:
      return "int32";
    case DType::int64:
      return "int64";
    case DType::string:
      return "string";
    case DType::boolean:
      return "bool";
    case DType::float16:
      return "float16";
    case DType::float64:
      return "float64";
    case DType::uint32:
      return "uint32";
    case DType::uint64:
      return "uint64";
    case DType::complex64:
      return "complex64";
    case DType::complex128:
      return "complex128";
    case DType::bfloat16:
      return "bfloat16";
    case DType::float8e4m3fn:
      return "float8e4m3fn";
    case DType::float8e4m3fnuz:
      return "float8e4m3fnuz";
    case DType::float8e5m2:
      return "float8e5m2";
    case DType::float8e5m2fnuz:
      return "float8e5m2fnuz";
    case DType::uint4:
      return "uint4";
    case DType::int4:
      return "int4";
    case DType::float4e2m1:
      return "float4e2m1";
  }
  return "unknown";
}

float half_to_float(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
  std::uint32_t exponent = (bits >> 10) & 0x1fu;
  std::uint32_t mantissa = bits & 0x3ffu;
  std::uint32_t wide;
  if (exponent == 0x1f) {
    wide = sign | 0x7f800000u | (mantissa << 13);
  } else if (exponent != 0) {
    wide = sign | ((exponent + 112) << 23) | (mantissa << 13);
  } else if (mantissa == 0) {
    wide = sign;
  } else {
    exponent = 113;
    while (!(mantissa & 0x400u)) {
      mantissa <<= 1;
      --exponent;
    }
    wide = sign | (exponent << 23) | ((mantissa & 0x3ffu) << 13);
  }
  float out;
  std::memcpy(&out, &wide, 4);
  return out;
}

std::uint16_t float_to_half(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, 4);
  const std::uint16_t sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude >= 0x7f800000u) return sign | (magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u);
  if (magnitude >= 0x477ff000u) return sign | 0x7c00u;
  if (magnitude < 0x33000001u) return sign;
  std::uint32_t exponent = magnitude >> 23;
  std::uint32_t mantissa = (magnitude & 0x7fffffu) | 0x800000u;
  int shift = 13;
  std::uint32_t out = 0;
  if (exponent < 113) {
    shift += static_cast<int>(113 - exponent);
  } else {
    out = (exponent - 113) << 10;  // the implicit bit of the mantissa adds one exponent step
  }
  const std::uint32_t half = 1u << (shift - 1);
  std::uint32_t rounded = mantissa >> shift;
  const std::uint32_t rest = mantissa & ((1u << shift) - 1);
  if (rest > half || (rest == half && (rounded & 1u))) ++rounded;
  return static_cast<std::uint16_t>(sign | (out + rounded));
}

std::uint16_t float_to_bfloat16(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, 4);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

}  // namespace coppice::tensor
