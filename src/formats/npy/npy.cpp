#include "coppice/formats/npy.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "coppice/base/atomic_file.hpp"
#include "coppice/base/checked.hpp"
#include "coppice/base/error.hpp"
#include "coppice/base/mapped_file.hpp"

#include "formats/npy/header.hpp"

namespace coppice::formats {
namespace {

using namespace npy_detail;
using tensor::DType;
using tensor::Tensor;

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::size_t alignment = 64;

std::size_t little_endian(std::string_view text) {
  std::size_t out = 0;
  for (std::size_t i = text.size(); i-- > 0;) out = out << 8 | static_cast<unsigned char>(text[i]);
  return out;
}

// The first index varies fastest in `bytes`.
tensor::Bytes to_row_major(const tensor::Bytes& bytes, const tensor::Shape& shape, std::size_t width) {
  const std::size_t rank = shape.size();
  std::vector<std::size_t> stride(rank, width), index(rank, 0);
  for (std::size_t k = 1; k < rank; ++k) stride[k] = stride[k - 1] * static_cast<std::size_t>(shape[k - 1]);
  tensor::Buffer buffer(bytes.size());
  std::byte* to = buffer.span().data();
  const std::byte* from = bytes.data();
  for (std::size_t done = 0, at = 0; done < bytes.size(); done += width) {
    std::memcpy(to + done, from + at, width);
    for (std::size_t k = rank; k-- > 0;) {
      at += stride[k];
      if (++index[k] < static_cast<std::size_t>(shape[k])) break;
      at -= stride[k] * index[k];
      index[k] = 0;
    }
  }
  return std::move(buffer).freeze();
}

Tensor read(const tensor::Bytes& bytes) {
  const std::string_view file(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!file.starts_with(magic) || file.size() < 8) throw Error("it does not begin as one");
  const int major = static_cast<unsigned char>(file[6]), minor = static_cast<unsigned char>(file[7]);
  if (major < 1 || major > 3 || minor != 0)
    throw Error("expected format version 1.0, 2.0 or 3.0, found " + std::to_string(major) + "." +
                std::to_string(minor));
  const std::size_t size_width = major == 1 ? 2 : 4, begin = 8 + size_width;
  if (file.size() < begin) throw Error("it ends inside the header");
  const std::size_t length = little_endian(file.substr(8, size_width));
  if (length > file.size() - begin) throw Error("it ends inside the header");
  const Header header = parse_header(file.substr(begin, length));

  const auto width = static_cast<std::size_t>(tensor::bit_width(header.dtype) / 8);
  const std::size_t found = file.size() - begin - length;
  const auto elements = base::checked_product(header.shape);
  const auto expected = elements ? base::checked_mul(*elements, static_cast<std::int64_t>(width)) : std::nullopt;
  if (!expected || static_cast<std::size_t>(*expected) != found)
    throw Error("expected " + (expected ? std::to_string(*expected) : "more than 2^63") + " bytes for " +
                std::string(tensor::name(header.dtype)) + " " + tensor::to_string(header.shape) + ", found " +
                std::to_string(found));
  Tensor out{header.dtype, header.shape, bytes.slice(begin + length, found), nullptr};
  if (header.fortran_order && header.shape.size() > 1) out.bytes = to_row_major(out.bytes, out.shape, width);
  if (out.dtype == DType::boolean) {
    const auto values = out.bytes.span();
    if (std::any_of(values.begin(), values.end(), [](std::byte b) { return b > std::byte{1}; }))
      throw Error("expected booleans of 0 and 1, found others");
  }
  return out;
}

std::string prologue(const Tensor& tensor) {
  std::string text = header_text(tensor);
  const std::size_t fixed = magic.size() + 4;
  text.append((alignment - (fixed + text.size() + 1) % alignment) % alignment, ' ');
  text += '\n';
  std::string out(magic);
  out += {'\1', '\0', static_cast<char>(text.size() & 0xff), static_cast<char>(text.size() >> 8)};
  return out + text;
}

// What NumPy has instead.
Tensor representable(const Tensor& tensor) {
  if (tensor.dtype != DType::bfloat16) return tensor;
  std::vector<double> values(static_cast<std::size_t>(tensor.elements()));
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = tensor::element_as_double(tensor, static_cast<std::int64_t>(i));
  return tensor::from_doubles(DType::float32, tensor.shape, values);
}

}  // namespace

Tensor read_npy(tensor::Bytes bytes, const std::string& name) {
  try {
    return read(bytes);
  } catch (const Error& error) {
    throw Error(name + ": expected a NumPy array: " + error.what());
  }
}

Tensor read_npy(const std::string& path) {
  const auto file = base::MappedFile::open(path);
  return read_npy(tensor::Bytes(file, file->bytes(), tensor::Residence::mapped), path);
}

void write_npy(const Tensor& tensor, const std::string& path) {
  const Tensor written = representable(tensor);
  std::string begin;
  try {
    begin = prologue(written);
  } catch (const Error& error) {
    throw Error(path + ": " + error.what());
  }
  base::AtomicFile file(path);
  file.write(begin);
  file.write(written.bytes.span());
  file.commit();
}

std::string write_npy_bytes(const Tensor& tensor) {
  const Tensor written = representable(tensor);
  const auto bytes = written.bytes.span();
  return prologue(written).append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace coppice::formats
