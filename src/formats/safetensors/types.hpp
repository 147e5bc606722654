#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "coppice/formats/safetensors.hpp"

namespace coppice::formats::safetensors_detail {

/// A type of the format.
struct Type {
  std::string_view name;
  int bits;
  tensor::DType dtype;
};

/// Nothing for a name that the format does not have.
const Type* find_type(std::string_view name);

/// The bytes that shape and type ask for. Throws Error, which begins with the tensor's name, on overflow and where
/// elements of less than a byte do not fill the last one.
std::uint64_t expected_bytes(const SafetensorsEntry& entry, const Type& type);

/// "tensor "NAME"", for messages.
std::string called(const SafetensorsEntry& entry);

/// Whether a file of so many bytes that starts like this can be one: a header that fits, and '{'.
bool begins_as_safetensors(std::span<const std::byte> start, std::uint64_t file_bytes);
/// The length of the header, from the first 8 bytes.
std::uint64_t header_length(std::span<const std::byte> file);

/// The reference implementation refuses larger ones.
inline constexpr std::uint64_t header_limit = 100'000'000;
/// As many as PyTorch allows.
inline constexpr std::size_t axis_limit = 64;
inline constexpr std::string_view metadata_key = "__metadata__";

}  // namespace coppice::formats::safetensors_detail
