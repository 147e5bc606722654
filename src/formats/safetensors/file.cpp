#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>

#include "coppice/base/error.hpp"
#include "coppice/base/mapped_file.hpp"

#include "formats/safetensors/parse_header.hpp"
#include "formats/safetensors/types.hpp"

namespace coppice::formats {
namespace {
using namespace safetensors_detail;

std::string_view header_text(std::span<const std::byte> file) {
  if (file.size() < 8) throw Error("expected the 8 bytes of the header's length, found " + std::to_string(file.size()));
  const std::uint64_t length = header_length(file);
  if (length > header_limit)
    throw Error("expected a header of at most " + std::to_string(header_limit) + " bytes, found " +
                std::to_string(length));
  if (length > file.size() - 8)
    throw Error("expected a header of " + std::to_string(length) + " bytes, found " + std::to_string(file.size() - 8));
  const std::string_view text(reinterpret_cast<const char*>(file.data()) + 8, static_cast<std::size_t>(length));
  if (text.empty() || text.front() != '{') throw Error("expected a header that begins with '{'");
  return text;
}

tensor::Bytes map(const std::string& path) {
  const auto file = base::MappedFile::open(path);
  return {file, file->bytes(), tensor::Residence::streamed};
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::string& path) : SafetensorsFile(map(path), path) {}

SafetensorsFile::SafetensorsFile(tensor::Bytes bytes, std::string name) : path_(std::move(name)) {
  try {
    const std::string_view header = header_text(bytes.span());
    layout_ = parse_header(header);
    by_name_ = sorted_names(layout_.entries);
    const std::size_t begin = 8 + header.size();
    check_offsets(layout_, bytes.size() - begin);
    data_ = bytes.slice(begin, bytes.size() - begin);
  } catch (const Error& error) {
    throw Error(path_ + ": expected a safetensors file: " + error.what());
  }
}

std::optional<std::size_t> SafetensorsFile::find(std::string_view name) const {
  const auto at =
      std::lower_bound(by_name_.begin(), by_name_.end(), name,
                       [&](std::size_t entry, std::string_view text) { return entries()[entry].name < text; });
  if (at == by_name_.end() || entries()[*at].name != name) return std::nullopt;
  return *at;
}

tensor::Bytes SafetensorsFile::bytes(std::size_t entry) const {
  const SafetensorsEntry& found = entries().at(entry);
  return data_.slice(static_cast<std::size_t>(found.begin), static_cast<std::size_t>(found.bytes()));
}

tensor::Tensor SafetensorsFile::tensor(std::size_t entry) const {
  return {entries().at(entry).dtype, entries().at(entry).shape, bytes(entry), nullptr};
}

bool is_safetensors(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;
  std::array<char, 9> start{};
  std::ifstream file(path, std::ios::binary);
  if (!file.read(start.data(), start.size())) return false;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  return !error && begins_as_safetensors(std::as_bytes(std::span(start)), size);
}

}  // namespace coppice::formats
