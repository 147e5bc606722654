#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "coppice/graph/model.hpp"

namespace coppice::cli {

/// Bytes of the files that one model or checkpoint makes in an encoding.
struct EncodedSize {
  std::string_view encoding;
  std::uint64_t bytes = 0;
};

/// What `coppice pack` writes.
inline constexpr std::string_view bitmask = "bitmask";

/// Of a model written to `path` in each encoding, counted without writing it.
std::vector<EncodedSize> sizes_of(const graph::Model& model, const std::string& path);

/// "as dense 941.1 kB, sparse_initializer 283.8 kB, bitmask 126.0 kB (coppice pack)"
std::string sizes_text(const std::vector<EncodedSize>& sizes);
/// Bytes by encoding.
nlohmann::ordered_json sizes_json(const std::vector<EncodedSize>& sizes);

}  // namespace coppice::cli
