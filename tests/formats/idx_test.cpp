#include "coppice/formats/idx.hpp"

#include <filesystem>

#include <gtest/gtest.h>
#include <zlib.h>

#include "coppice/base/error.hpp"

namespace coppice::formats {
namespace {

using tensor::DType;
using tensor::Tensor;
using namespace std::string_literals;

tensor::Bytes bytes_of(const std::string& text) {
  return tensor::Bytes::copy(std::as_bytes(std::span(text)));
}

Tensor read(const std::string& text) {
  return read_idx(bytes_of(text), "a.idx");
}

std::string refusal(const std::string& text) {
  try {
    read(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string gzip(const std::string& text) {
  z_stream z{};
  EXPECT_EQ(deflateInit2(&z, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&z, static_cast<uLong>(text.size())), '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

const std::string matrix = "\0\0\x08\2\0\0\0\2\0\0\0\3\1\2\3\4\5\6"s;

TEST(Idx, ReadsBytesAndBigEndianNumbers) {
  for (const std::string& text : {matrix, gzip(matrix)}) {
    const Tensor tensor = read(text);
    EXPECT_EQ(tensor.dtype, DType::uint8);
    EXPECT_EQ(tensor.shape, (tensor::Shape{2, 3}));
    for (std::int64_t i = 0; i < 6; ++i) EXPECT_EQ(element_as_int(tensor, i), i + 1);
  }
  EXPECT_EQ(element_as_int(read("\0\0\x09\1\0\0\0\1\xff"s), 0), -1);
  EXPECT_EQ(element_as_int(read("\0\0\x0b\1\0\0\0\1\1\2"s), 0), 258);
  EXPECT_EQ(element_as_int(read("\0\0\x0c\1\0\0\0\1\xff\xff\xff\xfe"s), 0), -2);
  EXPECT_EQ(element_as_double(read("\0\0\x0d\1\0\0\0\1\x3f\xc0\0\0"s), 0), 1.5);
  EXPECT_EQ(element_as_double(read("\0\0\x0e\1\0\0\0\1\xc0\0\0\0\0\0\0\0"s), 0), -2);
  EXPECT_EQ(read("\0\0\x08\0\7"s).shape, tensor::Shape{});
  EXPECT_EQ(read("\0\0\x08\1\0\0\0\0"s).shape, tensor::Shape{0});
}

TEST(Idx, ReadsALargeCompressedFile) {
  // Repetitive, so that it is compressed about as well as deflate can.
  std::string text = "\0\0\x08\1\0\x40\0\0"s + std::string(0x400000, '\5');
  const Tensor tensor = read(gzip(text));
  EXPECT_EQ(tensor.elements(), 0x400000);
  EXPECT_EQ(element_as_int(tensor, 0x3fffff), 5);
}

TEST(Idx, RefusesBadFiles) {
  for (std::size_t size = 0; size < matrix.size(); ++size)
    EXPECT_NE(refusal(matrix.substr(0, size)), "no error") << size << " bytes";
  EXPECT_EQ(refusal(matrix + "7"),
            "a.idx: expected an IDX file: expected the end of the file behind the elements, found 1 bytes");
  EXPECT_EQ(refusal("\1\0\x08\1"s), "a.idx: expected an IDX file: expected two zero bytes at the start");
  EXPECT_EQ(refusal("\0\0\x0a\1\0\0\0\0"s),
            "a.idx: expected an IDX file: expected an element type of IDX (8, 9, 11 to 14), found 10");
  // 2^64 elements, and 4 GB in a file of a few bytes: refused before anything is allocated.
  EXPECT_NE(refusal("\0\0\x08\4\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"s).find("too short"),
            std::string::npos);
  EXPECT_NE(refusal("\0\0\x08\1\xff\xff\xff\xff"s).find("too short"), std::string::npos);
}

TEST(Idx, RefusesBadCompressedFiles) {
  const std::string good = gzip(matrix);
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_NE(refusal(good.substr(0, size)), "no error") << size << " bytes";
  EXPECT_NE(refusal(good + "x").find("behind the compressed data, found 1 bytes"), std::string::npos);
  EXPECT_NE(refusal(gzip(matrix + "x")).find("expected the end of the data, found more"), std::string::npos);
  EXPECT_NE(refusal(gzip(matrix.substr(0, 15))).find("expected 6 more bytes, found 3"), std::string::npos);
  EXPECT_NE(refusal(gzip("\0\0\x08\1\xff\xff\xff\xff"s)).find("too short"), std::string::npos);
  std::string wrong_sum = good;
  wrong_sum[good.size() - 8] = static_cast<char>(wrong_sum[good.size() - 8] ^ 1);
  EXPECT_NE(refusal(wrong_sum).find("incorrect data check"), std::string::npos);
}

TEST(Idx, ReadsFashionMnist) {
  const std::string folder = "/usr/share/datasets/fashion-mnist/";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "Debian's dataset-fashion-mnist is not installed";
  const Tensor labels = read_idx(folder + "t10k-labels-idx1-ubyte.gz");
  EXPECT_EQ(labels.shape, tensor::Shape{10000});
  EXPECT_EQ(element_as_int(labels, 0), 9);
  EXPECT_EQ(read_idx(folder + "t10k-images-idx3-ubyte.gz").shape, (tensor::Shape{10000, 28, 28}));
}

}  // namespace
}  // namespace coppice::formats
