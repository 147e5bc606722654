#include "coppice/formats/npy.hpp"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"

#include "support/scratch.hpp"

namespace coppice::formats {
namespace {

using tensor::DType;
using tensor::Tensor;
using namespace std::string_literals;

tensor::Bytes bytes_of(const std::string& text) {
  return tensor::Bytes::copy(std::as_bytes(std::span(text)));
}

// A file as NumPy writes it, from the dictionary and the data.
std::string file(const std::string& header, const std::string& data, char version = 1) {
  std::string size{static_cast<char>(header.size() & 0xff), static_cast<char>(header.size() >> 8)};
  if (version > 1) size += "\0\0"s;
  return "\x93NUMPY"s + version + '\0' + size + header + data;
}

std::string header(const std::string& descr, const std::string& shape, const std::string& order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

std::string refusal(const std::string& text) {
  try {
    read_npy(bytes_of(text), "a.npy");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::vector<double> numbers(const Tensor& tensor) {
  std::vector<double> out;
  for (std::int64_t i = 0; i < tensor.elements(); ++i) out.push_back(element_as_double(tensor, i));
  return out;
}

// The bytes of np.save(..., np.array([[1, 2, 3], [4, 5, 6]], dtype)).
TEST(Npy, ReadsWhatNumpyWrites) {
  const Tensor floats = read_npy(bytes_of(file(header("<f4", "(2,)"), "\0\0\xc0\x3f\0\0\0\xc0"s)), "a.npy");
  EXPECT_EQ(floats.dtype, DType::float32);
  EXPECT_EQ(floats.shape, tensor::Shape{2});
  EXPECT_EQ(numbers(floats), (std::vector<double>{1.5, -2}));

  for (const char version : {1, 2, 3}) {
    const Tensor bytes = read_npy(bytes_of(file(header("|u1", "(2, 3)"), "\1\2\3\4\5\6", version)), "a.npy");
    EXPECT_EQ(bytes.dtype, DType::uint8);
    EXPECT_EQ(bytes.shape, (tensor::Shape{2, 3}));
    EXPECT_EQ(numbers(bytes), (std::vector<double>{1, 2, 3, 4, 5, 6}));
  }
  EXPECT_EQ(read_npy(bytes_of(file(header("<i8", "()"), std::string(8, '\0'))), "a.npy").shape, tensor::Shape{});
  EXPECT_EQ(read_npy(bytes_of(file(header("<i8", "(0, 3)"), "")), "a.npy").shape, (tensor::Shape{0, 3}));
  // The keys in another order, as other writers have them, and the long integers of Python 2.
  EXPECT_EQ(read_npy(bytes_of(file("{\"shape\":(1L,),\"fortran_order\":False,\"descr\":\"|b1\"}", "\1")), "a").dtype,
            DType::boolean);
}

TEST(Npy, TransposesFortranOrder) {
  // Column by column: the matrix 1 2 3 / 4 5 6.
  const Tensor matrix = read_npy(bytes_of(file(header("|i1", "(2, 3)", "True"), "\1\4\2\5\3\6")), "a.npy");
  EXPECT_EQ(numbers(matrix), (std::vector<double>{1, 2, 3, 4, 5, 6}));
  // a[i][j][k] lies at i + 2 j + 4 k.
  const Tensor cube =
      read_npy(bytes_of(file(header("<i2", "(2, 2, 2)", "True"), "\0\0\1\0\2\0\3\0\4\0\5\0\6\0\7\0"s)), "a.npy");
  EXPECT_EQ(numbers(cube), (std::vector<double>{0, 4, 2, 6, 1, 5, 3, 7}));
}

TEST(Npy, EveryTypeSurvivesWritingAndReading) {
  for (const DType dtype : {DType::float16, DType::float32, DType::float64, DType::int8, DType::int16, DType::int32,
                            DType::int64, DType::uint8, DType::uint16, DType::uint32, DType::uint64, DType::boolean}) {
    for (const tensor::Shape& shape : {tensor::Shape{}, {1}, {0}, {2, 1}, {1, 2, 1}}) {
      std::vector<double> values(static_cast<std::size_t>(tensor::element_count(shape)), 1);
      const Tensor tensor = tensor::from_doubles(dtype, shape, values);
      const std::string text = write_npy_bytes(tensor);
      EXPECT_EQ((text.size() - tensor.bytes.size()) % 64, 0U);
      const Tensor again = read_npy(bytes_of(text), "a.npy");
      EXPECT_EQ(again.dtype, dtype);
      EXPECT_EQ(again.shape, shape);
      EXPECT_EQ(numbers(again), values);
    }
  }
  const Tensor complex{DType::complex64, {1}, bytes_of("12345678"), nullptr};
  EXPECT_EQ(read_npy(bytes_of(write_npy_bytes(complex)), "a").dtype, DType::complex64);
}

TEST(Npy, WritesTheTextThatNumpyWrites) {
  const std::string text = write_npy_bytes(Tensor::of<float>(DType::float32, {1}, std::vector<float>{0}));
  EXPECT_EQ(text.substr(10, 58), "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } ");
  EXPECT_EQ(text.size(), 132U);
  EXPECT_EQ(text[127], '\n');
}

TEST(Npy, WidensBfloat16AndRefusesWhatNumpyLacks) {
  const std::vector<double> values{1.5, -2};
  const Tensor again = read_npy(bytes_of(write_npy_bytes(tensor::from_doubles(DType::bfloat16, {2}, values))), "a");
  EXPECT_EQ(again.dtype, DType::float32);
  EXPECT_EQ(numbers(again), values);
  const test::Scratch folder;
  const Tensor small{DType::float8e4m3fn, {1}, bytes_of("x"), nullptr};
  try {
    write_npy(small, folder / "a.npy");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("a.npy: expected a type that NumPy has, found float8e4m3fn"),
              std::string::npos);
  }
}

TEST(Npy, FilesAreReadAndWritten) {
  const test::Scratch folder;
  const std::vector<double> values{1, 2, 3};
  write_npy(tensor::from_doubles(DType::float32, {3}, values), folder / "a.npy");
  EXPECT_EQ(numbers(read_npy(folder / "a.npy")), values);
  EXPECT_THROW(read_npy(folder / "missing.npy"), Error);
}

TEST(Npy, RefusesBadFiles) {
  const std::string good = file(header("<f4", "(2,)"), "12345678");
  EXPECT_EQ(refusal(good), "no error");
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_NE(refusal(good.substr(0, size)), "no error") << size << " bytes";
  EXPECT_EQ(refusal("PK\3\4 and more"), "a.npy: expected a NumPy array: it does not begin as one");
  EXPECT_EQ(refusal(good + "9"), "a.npy: expected a NumPy array: expected 8 bytes for float32 2, found 9");
  EXPECT_EQ(refusal(file(header("<f4", "(2,)"), "12345678", 4)),
            "a.npy: expected a NumPy array: expected format version 1.0, 2.0 or 3.0, found 4.0");
  EXPECT_EQ(refusal("\x93NUMPY\2\0\xff\xff\xff\xff{}"s), "a.npy: expected a NumPy array: it ends inside the header");

  const auto with = [](const std::string& text) { return refusal(file(text, "12345678")); };
  EXPECT_NE(with(header(">f4", "(2,)")).find("expected little-endian numbers"), std::string::npos);
  EXPECT_NE(with(header("<U2", "(1,)")).find("found the element type \"<U2\""), std::string::npos);
  EXPECT_NE(with(header("|O", "(1,)")).find("found the element type \"|O\""), std::string::npos);
  EXPECT_NE(with(header("", "(1,)")).find("found the element type \"\""), std::string::npos);
  EXPECT_NE(with(header("|f4", "(2,)")).find("expected little-endian"), std::string::npos);
  EXPECT_NE(with("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}").find("structured"),
            std::string::npos);
  EXPECT_NE(with(header("<f4", "(-2,)")).find("expected an extent"), std::string::npos);
  EXPECT_NE(with(header("<f4", "(2 3)")).find("expected ',' or ')'"), std::string::npos);
  EXPECT_NE(with(header("<f4", "(99999999999999999999,)")).find("expected an extent"), std::string::npos);
  EXPECT_NE(with(header("<f4", "(4611686018427387904, 4611686018427387904)")).find("more than 2^63"),
            std::string::npos);
  EXPECT_NE(with(header("<f4", "(4611686018427387904,)")).find("more than 2^63"), std::string::npos);
  EXPECT_NE(with(header("<f4", "(2,)", "Maybe")).find("expected True or False"), std::string::npos);
  EXPECT_NE(with("{'descr': '<f4', 'shape': (2,)}").find("one is missing"), std::string::npos);
  EXPECT_NE(with("{'descr': '<f4', 'descr': '<f4'}").find("once each"), std::string::npos);
  EXPECT_NE(with("{'other': 1}").find("found \"other\""), std::string::npos);
  EXPECT_NE(with("{'descr").find("a string that ends"), std::string::npos);
  EXPECT_NE(with("").find("expected '{'"), std::string::npos);
  EXPECT_NE(with(header("<f4", "(2,)") + "x").find("expected the end"), std::string::npos);
  std::string many = "(";
  for (int i = 0; i < 65; ++i) many += "1,";
  EXPECT_NE(with(header("<f8", many + ")")).find("at most 64 dimensions"), std::string::npos);
  EXPECT_NE(refusal(file(header("|b1", "(2,)"), "\1\2")).find("booleans of 0 and 1"), std::string::npos);
}

}  // namespace
}  // namespace coppice::formats
