#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace coppice::formats::safetensors_detail {

/// What an index of shards says.
struct Index {
  std::vector<std::pair<std::string, std::string>> files;  ///< Tensor and file, in the order of the text.
  std::optional<std::uint64_t> total_bytes;
};

/// Throws Error for JSON of another form, names that come twice and files that are not plain names.
Index parse_index(std::string_view text);

}  // namespace coppice::formats::safetensors_detail
