#include "formats/onnx/sniff.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "formats/onnx/wire.hpp"
#include "formats/safetensors/types.hpp"

namespace coppice::formats::onnx_detail {
namespace {

struct Signature {
  std::size_t offset;
  std::string_view bytes, meaning;
};
constexpr Signature signatures[] = {
    {0, "PK\x03\x04", "a zip archive, such as a PyTorch checkpoint"},
    {0, "\x80\x02", "a Python pickle, such as an old PyTorch checkpoint"},
    {0, "\x89HDF\r\n", "an HDF5 file, such as a Keras model"},
    {0, "\x1f\x8b", "a gzip archive"},
    {0,
     "\x7f"
     "ELF",
     "a program"},
    {0, "\x93NUMPY", "a NumPy array"},
    {0, "GGUF", "a GGUF file"},
    {0, "version https://git-lfs", "a Git LFS pointer: the file itself was not fetched"},
    {4, "TFL3", "a TensorFlow Lite model"},
    {4, "ORTM", "a model in ONNX Runtime's own format"},
};

bool is_text(std::span<const std::byte> file) {
  const auto start = file.first(std::min<std::size_t>(file.size(), 256));
  return std::all_of(start.begin(), start.end(), [](std::byte b) {
    const auto c = static_cast<unsigned char>(b);
    return c >= 0x20 || c == '\n' || c == '\r' || c == '\t';
  });
}

}  // namespace

std::string looks_like(std::span<const std::byte> file) {
  if (file.empty()) return "an empty file";
  const std::string_view text = text_of(file);
  for (const Signature& signature : signatures)
    if (text.size() > signature.offset && text.substr(signature.offset).starts_with(signature.bytes))
      return std::string(signature.meaning);
  if (safetensors_detail::begins_as_safetensors(file, file.size())) return "a safetensors file";
  if (std::all_of(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(file.size(), 256)),
                  [](std::byte b) { return b == std::byte{0}; }))
    return "zeros";
  if (is_text(file)) return "a text file";
  return {};
}

}  // namespace coppice::formats::onnx_detail
