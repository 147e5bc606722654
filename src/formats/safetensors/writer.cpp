#include <algorithm>

#include "coppice/base/error.hpp"
#include "coppice/formats/safetensors.hpp"

namespace coppice::formats {
namespace {

// Bytes written at a time, before the pages that they came from are given back.
constexpr std::size_t window = std::size_t{4} << 20;

std::string length_bytes(std::uint64_t length) {
  std::string out;
  for (int i = 0; i < 8; ++i) out += static_cast<char>(length >> (8 * i) & 0xff);
  return out;
}

}  // namespace

SafetensorsWriter::SafetensorsWriter(const std::string& path, const SafetensorsLayout& layout)
    : file_(path), whole_(layout.file_bytes()) {
  file_.write(length_bytes(layout.header.size()));
  file_.write(layout.header);
}

void SafetensorsWriter::write(std::span<const std::byte> bytes) {
  if (bytes.size() > whole_ - file_.position())
    throw Error(file_.path() + ": expected at most " + std::to_string(whole_ - file_.position()) +
                " more bytes of tensors, found " + std::to_string(bytes.size()));
  file_.write(bytes);
}

void SafetensorsWriter::write(const tensor::Bytes& bytes) {
  for (std::size_t at = 0; at < bytes.size(); at += window) {
    const tensor::Bytes part = bytes.slice(at, std::min(window, bytes.size() - at));
    write(part.span());
    tensor::give_back(part);
  }
}

void SafetensorsWriter::finish() {
  if (file_.position() != whole_)
    throw Error(file_.path() + ": expected " + std::to_string(whole_ - file_.position()) +
                " more bytes of tensors, found none");
  file_.finish();
}

void SafetensorsWriter::commit() {
  finish();
  file_.commit();
}

void write_safetensors(const std::vector<NamedTensor>& tensors, const std::string& path,
                       const std::optional<SafetensorsMetadata>& metadata) {
  std::vector<SafetensorsEntry> entries;
  for (const auto& [name, tensor] : tensors) {
    SafetensorsEntry& entry = entries.emplace_back();
    entry.name = name;
    entry.dtype = tensor.dtype;
    entry.shape = tensor.shape;
  }
  SafetensorsLayout layout;
  try {
    layout = SafetensorsLayout::of(std::move(entries), metadata);
  } catch (const Error& error) {
    throw Error(path + ": " + error.what());
  }
  SafetensorsWriter writer(path, layout);
  for (const NamedTensor& named : tensors) writer.write(named.tensor.bytes.now());
  writer.commit();
}

}  // namespace coppice::formats
