#include "formats/safetensors/types.hpp"

#include <algorithm>

#include "coppice/base/checked.hpp"
#include "coppice/base/error.hpp"

namespace coppice::formats {
namespace safetensors_detail {
namespace {
using tensor::DType;

constexpr Type types[] = {
    {"F32", 32, DType::float32},
    {"F16", 16, DType::float16},
    {"BF16", 16, DType::bfloat16},
    {"F64", 64, DType::float64},
    {"I64", 64, DType::int64},
    {"I32", 32, DType::int32},
    {"I16", 16, DType::int16},
    {"I8", 8, DType::int8},
    {"U64", 64, DType::uint64},
    {"U32", 32, DType::uint32},
    {"U16", 16, DType::uint16},
    {"U8", 8, DType::uint8},
    {"BOOL", 8, DType::boolean},
    {"F8_E4M3", 8, DType::float8e4m3fn},
    {"F8_E5M2", 8, DType::float8e5m2},
    {"F8_E4M3FNUZ", 8, DType::float8e4m3fnuz},
    {"F8_E5M2FNUZ", 8, DType::float8e5m2fnuz},
    {"F8_E8M0", 8, DType::undefined},
    {"C64", 64, DType::complex64},
    {"F6_E2M3", 6, DType::undefined},
    {"F6_E3M2", 6, DType::undefined},
    {"F4", 4, DType::float4e2m1},
};
}  // namespace

const Type* find_type(std::string_view name) {
  const auto* const found =
      std::find_if(std::begin(types), std::end(types), [&](const Type& type) { return type.name == name; });
  return found == std::end(types) ? nullptr : found;
}

std::string called(const SafetensorsEntry& entry) {
  return "tensor \"" + entry.name + "\"";
}

std::uint64_t expected_bytes(const SafetensorsEntry& entry, const Type& type) {
  const auto elements = base::checked_product(entry.shape);
  const auto bits = elements ? base::checked_mul(*elements, type.bits) : std::nullopt;
  if (!bits)
    throw Error(called(entry) + ": " + tensor::to_string(entry.shape) + " of " + entry.type +
                " is more than can be counted");
  if (*bits % 8 != 0)
    throw Error(called(entry) + ": expected whole bytes, found " + std::to_string(*bits) + " bits for " +
                tensor::to_string(entry.shape) + " of " + entry.type);
  return static_cast<std::uint64_t>(*bits / 8);
}

std::uint64_t header_length(std::span<const std::byte> file) {
  std::uint64_t out = 0;
  for (std::size_t i = 8; i-- > 0;) out = out << 8 | std::to_integer<std::uint64_t>(file[i]);
  return out;
}

bool begins_as_safetensors(std::span<const std::byte> start, std::uint64_t file_bytes) {
  if (start.size() < 9 || start[8] != std::byte{'{'}) return false;
  const std::uint64_t header = header_length(start);
  return header >= 2 && header <= file_bytes - 8;
}

}  // namespace safetensors_detail

std::string_view safetensors_type(tensor::DType dtype) {
  using safetensors_detail::types;
  if (dtype == tensor::DType::undefined) return {};
  for (const auto& type : types)
    if (type.dtype == dtype) return type.name;
  return {};
}

}  // namespace coppice::formats
