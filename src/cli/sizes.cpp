#include "cli/sizes.hpp"

#include <nlohmann/json.hpp>

#include "coppice/analysis/text.hpp"
#include "coppice/formats/onnx.hpp"

namespace coppice::cli {

std::vector<EncodedSize> sizes_of(const graph::Model& model, const std::string& path) {
  std::vector<EncodedSize> out;
  for (const formats::Encoding encoding : {formats::Encoding::dense, formats::Encoding::sparse_initializer})
    out.push_back({to_string(encoding), formats::onnx_bytes(model, path, {.encoding = encoding})});
  return out;
}

std::string sizes_text(const std::vector<EncodedSize>& sizes) {
  std::string out;
  for (const auto& [encoding, bytes] : sizes)
    out += (out.empty() ? "as " : ", as ") + std::string(encoding) + " " + analysis::short_bytes(bytes);
  return out;
}

nlohmann::ordered_json sizes_json(const std::vector<EncodedSize>& sizes) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (const auto& [encoding, bytes] : sizes) out[std::string(encoding)] = bytes;
  return out;
}

}  // namespace coppice::cli
