#include "coppice/tensor/tensor.hpp"

#include <array>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"

namespace coppice::tensor {
namespace {

TEST(Shapes, CountAndText) {
  EXPECT_EQ(element_count(Shape{2, 3, 4}), 24);
  EXPECT_EQ(element_count(Shape{}), 1);
  EXPECT_THROW(element_count(Shape{-1}), Error);
  EXPECT_THROW(element_count(Shape{1LL << 40, 1LL << 40}), Error);
  EXPECT_EQ(to_string(Shape{1, 3, 224, 224}), "1x3x224x224");
  EXPECT_EQ(to_string(Shape{}), "scalar");
}

TEST(Elements, OfEveryWholeType) {
  for (const DType dtype : {DType::uint8, DType::int8, DType::uint16, DType::int16, DType::int32, DType::int64,
                            DType::uint32, DType::uint64, DType::boolean}) {
    const Tensor t = from_ints(dtype, {2}, std::array<std::int64_t, 2>{0, 1});
    EXPECT_EQ(t.bytes.size(), byte_size(dtype, 2));
    EXPECT_EQ(element_as_int(t, 0), 0) << name(dtype);
    EXPECT_EQ(element_as_int(t, 1), 1) << name(dtype);
    EXPECT_EQ(element_as_double(t, 1), 1.0) << name(dtype);
  }
  const Tensor wide = from_ints(DType::int64, {1}, std::array<std::int64_t, 1>{INT64_MAX});
  EXPECT_EQ(element_as_int(wide, 0), INT64_MAX);
  const Tensor negative = from_ints(DType::int8, {1}, std::array<std::int64_t, 1>{-5});
  EXPECT_EQ(element_as_int(negative, 0), -5);
}

TEST(Elements, OfEveryRealType) {
  for (const DType dtype : {DType::float32, DType::float64, DType::float16, DType::bfloat16}) {
    const Tensor t = from_doubles(dtype, {3}, std::array<double, 3>{0.5, -2, 0});
    EXPECT_EQ(element_as_double(t, 0), 0.5) << name(dtype);
    EXPECT_EQ(element_as_double(t, 1), -2.0) << name(dtype);
  }
}

TEST(Elements, BytesNeedNoAlignment) {
  std::array<std::byte, 9> raw{};
  raw[1] = std::byte{7};
  const Tensor t{DType::int64, {1}, Bytes::copy(raw).slice(1, 8), nullptr};
  EXPECT_EQ(element_as_int(t, 0), 7);
}

TEST(Bytes, LiveAsLongAsSomeoneHoldsThem) {
  Bytes part;
  {
    Buffer buffer(16);
    buffer.as<std::uint8_t>()[5] = 42;
    part = std::move(buffer).freeze().slice(5, 1);
  }
  EXPECT_EQ(part.size(), 1U);
  EXPECT_EQ(part.data()[0], std::byte{42});
}

}  // namespace
}  // namespace coppice::tensor
