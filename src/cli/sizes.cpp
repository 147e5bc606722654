#include "cli/sizes.hpp"

#include <nlohmann/json.hpp>

#include "coppice/analysis/text.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/formats/packed.hpp"

namespace coppice::cli {

std::vector<EncodedSize> sizes_of(const graph::Model& model, const std::string& path) {
  std::vector<EncodedSize> out;
  for (const formats::Encoding encoding : {formats::Encoding::dense, formats::Encoding::sparse_initializer})
    out.push_back({to_string(encoding), formats::onnx_bytes(model, path, {.encoding = encoding})});
  out.push_back({bitmask, formats::pack_model(model, "").bytes_after});
  return out;
}

std::string sizes_text(const std::vector<EncodedSize>& sizes) {
  std::string out;
  for (const auto& [encoding, bytes] : sizes)
    out += (out.empty() ? "as " : ", ") + std::string(encoding) + " " + analysis::short_bytes(bytes) +
           (encoding == bitmask ? " (coppice pack)" : "");
  return out;
}

nlohmann::ordered_json sizes_json(const std::vector<EncodedSize>& sizes) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (const auto& [encoding, bytes] : sizes) out[std::string(encoding)] = bytes;
  return out;
}

}  // namespace coppice::cli
