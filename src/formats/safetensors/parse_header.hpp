#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "coppice/formats/safetensors.hpp"

namespace coppice::formats::safetensors_detail {

/// Reads the JSON of a header and sorts the entries by their offsets; whether offsets and shapes are sound is left to
/// the caller. Throws Error for JSON of another form and for names that come twice.
SafetensorsLayout parse_header(std::string_view text);

/// Completes the entries' types. Throws Error unless the sorted entries follow each other from the first byte to the
/// last, with as many bytes as their shapes ask for.
void check_offsets(SafetensorsLayout& layout, std::uint64_t data_bytes);
/// The entries in the order of their names. Throws Error for two of one name.
std::vector<std::size_t> sorted_names(const std::vector<SafetensorsEntry>& entries);
/// All of this for a header whose tensors are elsewhere.
SafetensorsLayout sound_layout(std::string_view header);

}  // namespace coppice::formats::safetensors_detail
