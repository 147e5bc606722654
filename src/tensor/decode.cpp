#include "tensor/decode.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "coppice/base/error.hpp"
#include "coppice/tensor/kernels.hpp"

namespace coppice::tensor {
namespace {

template <class T>
void widen(const std::byte* at, std::size_t count, double* out) {
  for (std::size_t i = 0; i < count; ++i) {
    T value;
    std::memcpy(&value, at + i * sizeof(T), sizeof(T));
    out[i] = static_cast<double>(value);
  }
}

// Sign, `mantissa` bits and the exponent bits between them; the smallest exponent is for subnormal numbers.
double small_float(unsigned bits, int width, int mantissa, int bias) {
  const unsigned sign = bits >> (width - 1) & 1u;
  const int exponent = static_cast<int>(bits >> mantissa & ((1u << (width - 1 - mantissa)) - 1));
  const double fraction = std::ldexp(static_cast<double>(bits & ((1u << mantissa) - 1)), -mantissa);
  const double size = exponent == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1.0 + fraction, exponent - bias);
  return sign ? -size : size;
}

double float8(DType dtype, unsigned bits) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  switch (dtype) {
    case DType::float8e4m3fn:
      return (bits & 0x7fu) == 0x7fu ? nan : small_float(bits, 8, 3, 7);
    case DType::float8e4m3fnuz:
      return bits == 0x80u ? nan : small_float(bits, 8, 3, 8);
    case DType::float8e5m2fnuz:
      return bits == 0x80u ? nan : small_float(bits, 8, 2, 16);
    default:
      if ((bits & 0x7fu) == 0x7cu) return bits & 0x80u ? -HUGE_VAL : HUGE_VAL;
      return (bits & 0x7fu) > 0x7cu ? nan : small_float(bits, 8, 2, 15);
  }
}

double four_bits(DType dtype, unsigned bits) {
  if (dtype == DType::float4e2m1) return small_float(bits, 4, 1, 1);
  if (dtype == DType::int4) return bits < 8 ? static_cast<double>(bits) : static_cast<double>(bits) - 16.0;
  return bits;
}

}  // namespace

bool has_magnitude(DType dtype) {
  switch (dtype) {
    case DType::undefined:
    case DType::string:
    case DType::complex64:
    case DType::complex128:
      return false;
    default:
      return bit_width(dtype) != 0;
  }
}

void decode(const Tensor& tensor, std::int64_t first, std::size_t count, double* out) {
  const int bits = bit_width(tensor.dtype);
  if (bits == 4) {
    for (std::size_t i = 0; i < count; ++i) {
      out[i] = four_bits(tensor.dtype, nibble(tensor.bytes.data(), first + static_cast<std::int64_t>(i)));
    }
    return;
  }
  const std::byte* at = tensor.bytes.data() + static_cast<std::size_t>(first) * static_cast<std::size_t>(bits / 8);
  switch (tensor.dtype) {
    case DType::float32:
      return widen<float>(at, count, out);
    case DType::float64:
      return widen<double>(at, count, out);
    case DType::int8:
      return widen<std::int8_t>(at, count, out);
    case DType::uint8:
    case DType::boolean:
      return widen<std::uint8_t>(at, count, out);
    case DType::int16:
      return widen<std::int16_t>(at, count, out);
    case DType::uint16:
      return widen<std::uint16_t>(at, count, out);
    case DType::int32:
      return widen<std::int32_t>(at, count, out);
    case DType::uint32:
      return widen<std::uint32_t>(at, count, out);
    case DType::int64:
      return widen<std::int64_t>(at, count, out);
    case DType::uint64:
      return widen<std::uint64_t>(at, count, out);
    case DType::float16:
    case DType::bfloat16:
      for (std::size_t i = 0; i < count; ++i) {
        std::uint16_t half;
        std::memcpy(&half, at + 2 * i, 2);
        out[i] = tensor.dtype == DType::float16 ? half_to_float(half) : bfloat16_to_float(half);
      }
      return;
    case DType::float8e4m3fn:
    case DType::float8e4m3fnuz:
    case DType::float8e5m2:
    case DType::float8e5m2fnuz:
      for (std::size_t i = 0; i < count; ++i) out[i] = float8(tensor.dtype, std::to_integer<unsigned>(at[i]));
      return;
    default:
      throw Error("expected numbers, found a tensor of type " + std::string(name(tensor.dtype)));
  }
}

}  // namespace coppice::tensor
