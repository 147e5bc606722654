#include "tensor/zero_bits.hpp"

#include <cmath>
#include <cstring>
#include <string>

#include "coppice/base/error.hpp"

#include "tensor/checks.hpp"

namespace coppice::tensor {
namespace {

bool is_signed(DType dtype) {
  return dtype == DType::int4 || dtype == DType::int8 || dtype == DType::int16 || dtype == DType::int32 ||
         dtype == DType::int64;
}

bool is_whole(DType dtype) {
  return is_integer(dtype) || dtype == DType::int4 || dtype == DType::uint4;
}

std::uint64_t encode(std::string_view where, DType dtype, double value) {
  if (value == 0) return 0;
  const int width = bit_width(dtype);
  if (is_real(dtype)) {
    const Tensor stored = from_doubles(dtype, {}, {&value, 1});
    std::uint64_t bits = 0;
    std::memcpy(&bits, stored.bytes.data(), stored.bytes.size());
    return bits;
  }
  const double low = is_signed(dtype) ? -std::ldexp(1.0, width - 1) : 0.0;
  const double high = dtype == DType::boolean ? 2.0 : std::ldexp(1.0, is_signed(dtype) ? width - 1 : width);
  if (!is_whole(dtype) || !(value >= low && value < high) || value != std::floor(value)) {
    throw Error(std::string(where) + ": " + std::to_string(value) + " is no zero point of type " +
                std::string(name(dtype)));
  }
  const std::uint64_t bits =
      value < 0 ? static_cast<std::uint64_t>(static_cast<std::int64_t>(value)) : static_cast<std::uint64_t>(value);
  return width == 64 ? bits : bits & ((std::uint64_t{1} << width) - 1);
}

}  // namespace

std::vector<ZeroBits> zero_bits(std::string_view where, const Tensor& tensor, const ZeroPoint& zero) {
  check_zero_point(where, tensor.shape, zero.values.size(), zero.axis);
  const DType dtype = tensor.dtype;
  const bool complex = dtype == DType::complex64 || dtype == DType::complex128;
  const int width = complex ? bit_width(dtype) / 2 : bit_width(dtype);
  const std::uint64_t all = width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
  const bool one_zero = is_whole(dtype) || dtype == DType::float8e4m3fnuz || dtype == DType::float8e5m2fnuz;
  const std::uint64_t unsigned_part = one_zero ? all : all >> 1;
  if (zero.values.empty()) return {{0, unsigned_part}};
  std::vector<ZeroBits> out;
  for (const double value : zero.values) {
    const std::uint64_t bits = encode(where, dtype, value);
    out.push_back({bits, bits == 0 ? unsigned_part : all});
  }
  return out;
}

}  // namespace coppice::tensor
