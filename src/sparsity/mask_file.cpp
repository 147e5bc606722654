#include "coppice/sparsity/mask_file.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "coppice/base/error.hpp"
#include "coppice/formats/safetensors.hpp"

namespace coppice::sparsity {
namespace {

constexpr const char* kFormat = "coppice";
constexpr const char* kVersion = "masks 1";

std::string shape_key(const std::string& name) {
  return "shape of " + name;
}

const std::string* find(const formats::SafetensorsMetadata& metadata, const std::string& key) {
  const auto found =
      std::find_if(metadata.begin(), metadata.end(), [&](const auto& entry) { return entry.first == key; });
  return found == metadata.end() ? nullptr : &found->second;
}

/// What tensor::to_string made.
bool read_shape(std::string_view text, tensor::Shape& out) {
  if (text == "scalar") return true;
  for (;;) {
    const std::string_view part = text.substr(0, text.find('x'));
    std::int64_t extent = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), extent);
    if (error != std::errc() || end != part.data() + part.size() || extent < 0) return false;
    out.push_back(extent);
    if (part.size() == text.size()) return true;
    text.remove_prefix(part.size() + 1);
  }
}

std::size_t bytes_of(std::int64_t elements) {
  return static_cast<std::size_t>((elements + 7) / 8);
}

}  // namespace

void write_masks(std::span<const LayerMask> masks, const std::string& path) {
  formats::SafetensorsMetadata metadata{{kFormat, kVersion}};
  std::vector<formats::NamedTensor> tensors;
  for (const LayerMask& layer : masks) {
    metadata.emplace_back(shape_key(layer.site.name), tensor::to_string(layer.site.shape));
    tensor::Buffer buffer(bytes_of(layer.mask.elements));
    if (!buffer.span().empty()) std::memcpy(buffer.span().data(), layer.mask.words.data(), buffer.span().size());
    const auto size = static_cast<std::int64_t>(buffer.span().size());
    tensors.push_back({layer.site.name, {tensor::DType::uint8, {size}, std::move(buffer).freeze(), nullptr}});
  }
  formats::write_safetensors(tensors, path, metadata);
}

std::vector<LayerMask> read_masks(const std::string& path) {
  const formats::SafetensorsFile file(path);
  const formats::SafetensorsMetadata metadata = file.layout().metadata.value_or(formats::SafetensorsMetadata());
  const std::string* version = find(metadata, kFormat);
  if (!version || *version != kVersion)
    throw Error(path + ": expected a file of masks (metadata \"coppice\": \"masks 1\")");
  std::vector<LayerMask> out;
  for (std::size_t i = 0; i < file.entries().size(); ++i) {
    const formats::SafetensorsEntry& entry = file.entries()[i];
    const auto fail = [&](const std::string& what) { return Error(path + ": mask of " + entry.name + ": " + what); };
    LayerMask layer;
    layer.site.name = layer.site.layer = entry.name;
    const std::string* shape = find(metadata, shape_key(entry.name));
    if (!shape || !read_shape(*shape, layer.site.shape)) throw fail("expected its shape in the metadata");
    const std::int64_t elements = tensor::element_count(layer.site.shape);
    const tensor::Bytes bytes = file.bytes(i);
    if (entry.dtype != tensor::DType::uint8 || bytes.size() != bytes_of(elements)) {
      throw fail("expected " + std::to_string(bytes_of(elements)) + " bytes of type U8 for " + *shape + ", found " +
                 std::to_string(bytes.size()) + " of type " + entry.type);
    }
    layer.mask = {elements, std::vector<std::uint64_t>(static_cast<std::size_t>((elements + 63) / 64), 0)};
    if (bytes.size() > 0) std::memcpy(layer.mask.words.data(), bytes.data(), bytes.size());
    if (elements % 64 != 0 && layer.mask.words.back() >> (elements % 64) != 0)
      throw fail("expected zeros behind its last bit");
    out.push_back(std::move(layer));
  }
  return out;
}

}  // namespace coppice::sparsity
