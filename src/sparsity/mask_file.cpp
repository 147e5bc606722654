#include "coppice/sparsity/mask_file.hpp"

#include <charconv>
#include <cstring>
#include <map>

#include "coppice/base/error.hpp"
#include "coppice/formats/safetensors.hpp"

namespace coppice::sparsity {
namespace {

constexpr const char* kFormat = "coppice";
constexpr const char* kVersion = "masks 1";

std::string shape_key(const std::string& name) {
  return "shape of " + name;
}

using Texts = std::map<std::string_view, std::string_view>;

Texts texts_of(const formats::SafetensorsLayout& layout) {
  return layout.metadata ? Texts(layout.metadata->begin(), layout.metadata->end()) : Texts();
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
  return static_cast<std::size_t>(elements / 8 + (elements % 8 != 0 ? 1 : 0));
}

Error damaged(const std::string& path, const std::string& name, const std::string& what) {
  return Error(path + ": mask of " + name + ": " + what);
}

Site read_site(const std::string& path, const formats::SafetensorsEntry& entry, const Texts& texts) {
  Site out;
  out.name = out.layer = entry.name;
  const auto shape = texts.find(shape_key(entry.name));
  if (shape == texts.end() || !read_shape(shape->second, out.shape))
    throw damaged(path, entry.name, "expected its shape in the metadata");
  std::size_t bytes = 0;
  try {
    bytes = bytes_of(tensor::element_count(out.shape));
  } catch (const Error& error) {
    throw damaged(path, entry.name, error.what());
  }
  if (entry.dtype != tensor::DType::uint8 || entry.bytes() != bytes)
    throw damaged(path, entry.name,
                  "expected " + std::to_string(bytes) + " bytes of type U8 for " + tensor::to_string(out.shape) +
                      ", found " + std::to_string(entry.bytes()) + " of type " + entry.type);
  return out;
}

formats::SafetensorsLayout layout_of(const std::vector<Site>& sites, const std::string& path) {
  formats::SafetensorsMetadata metadata{{kFormat, kVersion}};
  std::vector<formats::SafetensorsEntry> entries;
  for (const Site& site : sites) {
    metadata.emplace_back(shape_key(site.name), tensor::to_string(site.shape));
    formats::SafetensorsEntry& entry = entries.emplace_back();
    entry.name = site.name;
    entry.dtype = tensor::DType::uint8;
    entry.shape = {static_cast<std::int64_t>(bytes_of(tensor::element_count(site.shape)))};
  }
  try {
    return formats::SafetensorsLayout::of(std::move(entries), std::move(metadata));
  } catch (const Error& error) {
    throw Error(path + ": " + error.what());
  }
}

}  // namespace

MaskWriter::MaskWriter(const std::vector<Site>& sites, const std::string& path) : sites_(sites) {
  writer_.emplace(path, layout_of(sites, path));
}

void MaskWriter::write(const tensor::Mask& mask) {
  if (written_ == sites_.size()) throw Error("masks: expected " + std::to_string(written_) + ", found more");
  const Site& site = sites_[written_++];
  if (mask.elements != tensor::element_count(site.shape))
    throw Error("mask of " + site.name + ": expected " + tensor::to_string(site.shape) + ", found " +
                std::to_string(mask.elements) + " bits");
  writer_->write(std::as_bytes(std::span(mask.words)).first(bytes_of(mask.elements)));
}

MaskFile::MaskFile(const std::string& path) : file_(path) {
  const Texts texts = texts_of(file_.layout());
  const auto version = texts.find(kFormat);
  if (version == texts.end() || version->second != kVersion)
    throw Error(path + ": expected a file of masks (metadata \"coppice\": \"masks 1\")");
  if (file_.entries().empty()) throw Error(path + ": expected masks, found none");
  for (const formats::SafetensorsEntry& entry : file_.entries()) sites_.push_back(read_site(path, entry, texts));
}

tensor::Mask MaskFile::mask(std::size_t i) const {
  const std::int64_t elements = tensor::element_count(sites_[i].shape);
  tensor::Mask out{elements, std::vector<std::uint64_t>(static_cast<std::size_t>((elements + 63) / 64), 0)};
  const tensor::Bytes bytes = file_.bytes(i);
  if (bytes.size() > 0) std::memcpy(out.words.data(), bytes.data(), bytes.size());
  if (elements % 64 != 0 && out.words.back() >> (elements % 64) != 0)
    throw damaged(file_.path(), sites_[i].name, "expected zeros behind its last bit");
  return out;
}

void write_masks(std::span<const LayerMask> masks, const std::string& path) {
  std::vector<Site> sites;
  for (const LayerMask& layer : masks) sites.push_back(layer.site);
  MaskWriter writer(sites, path);
  for (const LayerMask& layer : masks) writer.write(layer.mask);
  writer.commit();
}

std::vector<LayerMask> read_masks(const std::string& path) {
  const MaskFile file(path);
  std::vector<LayerMask> out;
  for (std::size_t i = 0; i < file.size(); ++i) out.push_back({file.site(i), file.mask(i)});
  return out;
}

}  // namespace coppice::sparsity
