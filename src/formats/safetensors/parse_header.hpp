#pragma once
#include <string_view>

#include "coppice/formats/safetensors.hpp"

namespace coppice::formats::safetensors_detail {

/// Reads the JSON of a header and sorts the entries by their offsets; whether offsets and shapes are sound is left to
/// the caller. Throws Error for JSON of another form and for names that come twice.
SafetensorsLayout parse_header(std::string_view text);

}  // namespace coppice::formats::safetensors_detail
