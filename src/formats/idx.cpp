#include "coppice/formats/idx.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "coppice/base/checked.hpp"
#include "coppice/base/error.hpp"
#include "coppice/base/mapped_file.hpp"

#include "formats/inflate.hpp"

namespace coppice::formats {
namespace {

using tensor::DType;
using tensor::Tensor;

/// The file's bytes in order, decompressed where needed.
class Source {
 public:
  explicit Source(std::span<const std::byte> bytes) : rest_(bytes) {
    if (bytes.size() >= 2 && bytes[0] == std::byte{0x1f} && bytes[1] == std::byte{0x8b})
      inflater_.emplace(bytes, Inflater::Wrapper::gzip);
    most_ = inflater_ ? Inflater::most_bytes(bytes.size()) : bytes.size();
  }
  /// No more than so many bytes can come.
  std::size_t most() const { return most_; }
  void read(std::span<std::byte> out) {
    if (inflater_) return inflater_->read(out);
    if (out.size() > rest_.size())
      throw Error("expected " + std::to_string(out.size()) + " more bytes, found " + std::to_string(rest_.size()));
    std::copy_n(rest_.begin(), out.size(), out.begin());
    rest_ = rest_.subspan(out.size());
  }
  void expect_end() {
    if (inflater_) return inflater_->expect_end();
    if (!rest_.empty())
      throw Error("expected the end of the file behind the elements, found " + std::to_string(rest_.size()) + " bytes");
  }

 private:
  std::span<const std::byte> rest_;
  std::optional<Inflater> inflater_;
  std::size_t most_ = 0;
};

DType dtype_of(std::byte code) {
  switch (std::to_integer<int>(code)) {
    case 0x08:
      return DType::uint8;
    case 0x09:
      return DType::int8;
    case 0x0b:
      return DType::int16;
    case 0x0c:
      return DType::int32;
    case 0x0d:
      return DType::float32;
    case 0x0e:
      return DType::float64;
    default:
      throw Error("expected an element type of IDX (8, 9, 11 to 14), found " +
                  std::to_string(std::to_integer<int>(code)));
  }
}

Tensor read(std::span<const std::byte> bytes) {
  Source source(bytes);
  std::array<std::byte, 4> magic;
  source.read(magic);
  if (magic[0] != std::byte{0} || magic[1] != std::byte{0}) throw Error("expected two zero bytes at the start");
  Tensor out;
  out.dtype = dtype_of(magic[2]);
  out.shape.resize(std::to_integer<std::size_t>(magic[3]));
  for (std::int64_t& extent : out.shape) {
    std::array<std::byte, 4> big;
    source.read(big);
    extent = 0;
    for (std::byte b : big) extent = extent * 256 + std::to_integer<std::int64_t>(b);
  }
  const auto width = static_cast<std::size_t>(tensor::bit_width(out.dtype) / 8);
  const auto elements = base::checked_product(out.shape);
  if (!elements || static_cast<std::size_t>(*elements) > source.most() / width)
    throw Error("the file is too short for " + tensor::to_string(out.shape) + " elements");
  tensor::Buffer buffer(static_cast<std::size_t>(*elements) * width);
  const auto data = buffer.span();
  source.read(data);
  source.expect_end();
  for (std::size_t at = 0; width > 1 && at < data.size(); at += width)
    std::reverse(data.begin() + static_cast<std::ptrdiff_t>(at),
                 data.begin() + static_cast<std::ptrdiff_t>(at + width));
  out.bytes = std::move(buffer).freeze();
  return out;
}

}  // namespace

Tensor read_idx(tensor::Bytes bytes, const std::string& name) {
  try {
    return read(bytes.span());
  } catch (const Error& error) {
    throw Error(name + ": expected an IDX file: " + error.what());
  }
}

Tensor read_idx(const std::string& path) {
  const auto file = base::MappedFile::open(path);
  return read_idx(tensor::Bytes(file, file->bytes(), tensor::Residence::mapped), path);
}

}  // namespace coppice::formats
