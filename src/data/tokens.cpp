#include <algorithm>
#include <cstring>
#include <memory>
#include <type_traits>

#include "coppice/base/error.hpp"
#include "coppice/base/mapped_file.hpp"
#include "coppice/data/read.hpp"
#include "coppice/formats/npy.hpp"

#include "data/sample_numbers.hpp"

namespace coppice::data {
namespace {

using tensor::DType;

/// Copies `count` numbers, which may lie unaligned.
using Copy = void (*)(const std::byte* from, std::int64_t* to, std::int64_t count);

template <class Number>
void copy(const std::byte* from, std::int64_t* to, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    Number number;
    std::memcpy(&number, from + static_cast<std::size_t>(i) * sizeof number, sizeof number);
    to[i] = static_cast<std::int64_t>(number);  // uint64 beyond int64 becomes negative, which is refused
  }
}

Copy copy_of(DType type) {
  switch (type) {
    case DType::uint8:
      return copy<std::uint8_t>;
    case DType::uint16:
      return copy<std::uint16_t>;
    case DType::uint32:
      return copy<std::uint32_t>;
    case DType::uint64:
      return copy<std::uint64_t>;
    case DType::int8:
      return copy<std::int8_t>;
    case DType::int16:
      return copy<std::int16_t>;
    case DType::int32:
      return copy<std::int32_t>;
    case DType::int64:
      return copy<std::int64_t>;
    default:
      return nullptr;
  }
}

DType dtype_of(TokenType type) {
  switch (type) {
    case TokenType::uint8:
      return DType::uint8;
    case TokenType::uint16:
      return DType::uint16;
    case TokenType::uint32:
      return DType::uint32;
  }
  throw Error("tokens: unknown type");
}

tensor::Tensor read_raw(const std::string& path, DType type) {
  const auto file = base::MappedFile::open(path);
  const tensor::Bytes bytes(file, file->bytes(), tensor::Residence::mapped);
  const auto width = static_cast<std::size_t>(tensor::bit_width(type) / 8);
  if (bytes.size() % width != 0)
    throw Error(path + ": expected whole numbers of " + std::to_string(width) + " bytes, found " +
                std::to_string(bytes.size()) + " bytes");
  return {type, {static_cast<std::int64_t>(bytes.size() / width)}, bytes, nullptr};
}

class Tokens : public Dataset {
 public:
  Tokens(std::string path, std::int64_t length, TokenType type) : path_(std::move(path)), length_(length) {
    if (length_ < 1) throw Error(path_ + ": expected rows of 1 token or more, found " + std::to_string(length_));
    all_ = path_.ends_with(".npy") ? formats::read_npy(path_) : read_raw(path_, dtype_of(type));
    copy_ = copy_of(all_.dtype);
    if (!copy_ || all_.shape.size() != 1)
      throw Error(path_ + ": expected whole numbers with one axis, found " + std::string(tensor::name(all_.dtype)) +
                  " " + tensor::to_string(all_.shape));
    // The last target follows the last row.
    size_ = (all_.elements() - 1) / length_;
    if (size_ < 1)
      throw Error(path_ + ": expected a row of " + std::to_string(length_) +
                  " tokens and the one that follows, found " + std::to_string(all_.elements()) + " tokens");
  }

  std::int64_t size() const override { return size_; }

  Batch gather(const at::Tensor& samples) const override {
    const std::vector<std::int64_t> numbers = sample_numbers(samples, size_);
    const auto rows = static_cast<std::int64_t>(numbers.size());
    const at::Tensor both = at::empty({rows, length_ + 1}, at::kLong);
    auto* to = both.data_ptr<std::int64_t>();
    const std::size_t width = static_cast<std::size_t>(tensor::bit_width(all_.dtype) / 8);
    for (const std::int64_t row : numbers) {
      const std::int64_t first = row * length_;
      copy_(all_.bytes.data() + static_cast<std::size_t>(first) * width, to, length_ + 1);
      const auto* negative = std::find_if(to, to + length_ + 1, [](std::int64_t token) { return token < 0; });
      if (negative != to + length_ + 1)
        throw Error(path_ + ": token " + std::to_string(first + (negative - to)) + ": expected 0 or more, found " +
                    std::to_string(*negative));
      to += length_ + 1;
    }
    return {{both.narrow(1, 0, length_).contiguous()}, both.narrow(1, 1, length_).contiguous()};
  }

 private:
  std::string path_;
  std::int64_t length_, size_ = 0;
  tensor::Tensor all_;
  Copy copy_ = nullptr;
};

}  // namespace

DatasetPtr read_tokens(const std::string& path, std::int64_t length, TokenType type, Damaged damaged) {
  const auto out = std::make_shared<Tokens>(path, length, type);
  return damaged == Damaged::skipped ? without_damaged(out) : out;
}

}  // namespace coppice::data
