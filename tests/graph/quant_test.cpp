#include <gtest/gtest.h>

#include "coppice/base/error.hpp"

#include "one_node.hpp"

namespace coppice::graph {
namespace {

TEST(Quantize, TypeOfTheResult) {
  EXPECT_EQ(OneNode("QuantizeLinear", 13).in({2, 3}).in({}).infer()[0].dtype, DType::uint8);
  EXPECT_EQ(OneNode("QuantizeLinear", 13).in({2, 3}).in({}).in({}, DType::int8).infer()[0].dtype, DType::int8);
  OneNode given("QuantizeLinear", 21);
  EXPECT_EQ(given.in({2, 3}).in({}).with("output_dtype", 22).infer()[0].dtype, DType::int4);
  OneNode half("DequantizeLinear", 19);
  EXPECT_EQ(half.in({2, 3}, DType::int8).in({}, DType::float16).infer()[0].dtype, DType::float16);
}

TEST(Quantize, ScalesPerAxisAndPerBlock) {
  const auto shape = [](Shape scale, int axis, int block) {
    OneNode n("DequantizeLinear", 21);
    return n.in({4, 10}, DType::int8).in(std::move(scale)).with("axis", axis).with("block_size", block).shape();
  };
  const Shape all{4, 10};
  EXPECT_EQ(shape({4}, 0, 0), all);
  EXPECT_EQ(shape({10}, -1, 0), all);
  EXPECT_EQ(shape({1}, 0, 0), all);
  EXPECT_EQ(shape({4, 3}, 1, 4), all);  // blocks of 4, 4 and 2
  EXPECT_THROW(shape({10}, 0, 0), Error);
  EXPECT_THROW(shape({4, 2}, 1, 4), Error);
  EXPECT_THROW(shape({4, 10}, 1, 0), Error);
}

TEST(Quantize, Dynamic) {
  const auto out = OneNode("DynamicQuantizeLinear", 11).in({2, 3}).infer(3);
  EXPECT_EQ(out[0].shape, (Shape{2, 3}));
  EXPECT_EQ(out[0].dtype, DType::uint8);
  EXPECT_EQ(out[1].shape, (Shape{}));
  EXPECT_EQ(out[1].dtype, DType::float32);
  EXPECT_EQ(out[2].dtype, DType::uint8);
}

TEST(Quantize, IntegerArithmetic) {
  OneNode add("QLinearAdd", 17, "com.microsoft");
  add.in({2, 3}, DType::uint8).in({}).in({}, DType::uint8).in({3}, DType::uint8).in({}).in({}, DType::uint8).in({});
  EXPECT_EQ(add.in({}, DType::uint8).shape(), (Shape{2, 3}));
  OneNode concat("QLinearConcat", 17, "com.microsoft");
  concat.in({}).in({}, DType::int8).in({2, 3}, DType::int8).in({}).in({}, DType::int8);
  concat.in({2, 4}, DType::int8).in({}).in({}, DType::int8).with("axis", 1);
  EXPECT_EQ(concat.shape(), (Shape{2, 7}));
}

}  // namespace
}  // namespace coppice::graph
