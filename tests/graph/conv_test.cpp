#include <limits>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"

#include "one_node.hpp"

namespace coppice::graph {
namespace {

using Ints = std::vector<std::int64_t>;

TEST(Conv, StridedPaddedImage) {
  // (224 + 6 - 7) / 2 + 1 = 112
  OneNode n("Conv");
  n.in({1, 3, 224, 224}).in({64, 3, 7, 7}).with("strides", Ints{2, 2}).with("pads", Ints{3, 3, 3, 3});
  EXPECT_EQ(n.shape(), (Shape{1, 64, 112, 112}));
}

TEST(Conv, DilationWidensTheWindow) {
  // Windows of 5 with unequal pads: (10 + 1 + 0 - 5) + 1 = 7
  OneNode n("Conv", 7);
  n.in({2, 4, 10}).in({6, 4, 3}).with("dilations", Ints{2}).with("pads", Ints{1, 0});
  EXPECT_EQ(n.shape(), (Shape{2, 6, 7}));
}

TEST(Conv, AutoPad) {
  const auto extent = [](const char* mode) {
    OneNode n("Conv");
    n.in({1, 1, 10}).in({1, 1, 3}).with("strides", Ints{3}).with("auto_pad", mode);
    return n.shape().back();
  };
  EXPECT_EQ(extent("SAME_UPPER"), 4);
  EXPECT_EQ(extent("SAME_LOWER"), 4);
  EXPECT_EQ(extent("VALID"), 3);
}

TEST(Conv, UnknownExtentsStayUnknown) {
  OneNode n("Conv");
  n.in({-1, 3, -1, 8}).in({5, 3, 3, 3});
  EXPECT_EQ(n.shape(), (Shape{-1, 5, -1, 6}));
}

TEST(Conv, MacsCountEveryTapOfEveryGroup) {
  OneNode dense("Conv");
  EXPECT_EQ(dense.in({1, 8, 5, 5}).in({16, 8, 3, 3}).macs(), 16 * 3 * 3 * 8 * 9);
  OneNode depthwise("Conv");
  depthwise.in({2, 8, 5, 5}).in({8, 1, 3, 3}).with("group", 8).with("pads", Ints{1, 1, 1, 1});
  EXPECT_EQ(depthwise.macs(), 2 * 8 * 25 * 9);
}

TEST(Conv, ContradictionsAreRefused) {
  EXPECT_THROW(OneNode("Conv").in({1, 4, 8, 8}).in({5, 3, 3, 3}).shape(), Error);  // channels
  EXPECT_THROW(OneNode("Conv").in({1, 6, 8, 8}).in({5, 3, 3, 3}).with("group", 2).shape(), Error);
  EXPECT_THROW(OneNode("Conv").in({1, 3, 8}).in({5, 3, 3, 3}).shape(), Error);     // rank
  EXPECT_THROW(OneNode("Conv").in({1, 3, 2, 2}).in({5, 3, 3, 3}).shape(), Error);  // window
  EXPECT_THROW(OneNode("Conv").in({1, 3, 8, 8}).in({5, 3, 3, 3}).in({4}).shape(), Error);
  EXPECT_THROW(OneNode("Conv").in({1, 3, 8, 8}).in({5, 3, 3, 3}).with("kernel_shape", Ints{3, 5}).shape(), Error);
  EXPECT_THROW(OneNode("Conv").in({1, 3, 8, 8}).in({5, 3, 3, 3}).with("strides", Ints{0, 1}).shape(), Error);
  EXPECT_THROW(OneNode("Conv").in({1, 3, 8, 8}).in({5, 3, 3, 3}).with("group", 0).shape(), Error);
}

TEST(Conv, HugeAttributesDoNotOverflow) {
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  OneNode far("Conv");
  far.in({1, 1, most}).in({1, 1, 1}).with("pads", Ints{most, most});
  EXPECT_THROW(far.shape(), Error);
  OneNode wide("Conv");
  wide.in({1, 1, 8}).in({1, 1, 3}).with("dilations", Ints{most});
  EXPECT_THROW(wide.shape(), Error);
}

TEST(ConvTranspose, StridesAndOutputPadding) {
  // 2 * (7 - 1) + 1 + 3 - 1 - 1 = 14
  OneNode n("ConvTranspose");
  n.in({1, 8, 7, 7}).in({8, 4, 3, 3}).with("strides", Ints{2, 2}).with("pads", Ints{1, 1, 1, 1});
  EXPECT_EQ(n.with("output_padding", Ints{1, 1}).shape(), (Shape{1, 4, 14, 14}));
}

TEST(ConvTranspose, GivenShapeAndAutoPad) {
  OneNode given("ConvTranspose");
  given.in({1, 8, 7, 7}).in({8, 2, 3, 3}).with("group", 2).with("output_shape", Ints{10, 8});
  EXPECT_EQ(given.with("strides", Ints{2, 2}).shape(), (Shape{1, 4, 10, 8}));
  OneNode same("ConvTranspose");
  same.in({1, 8, 7}).in({8, 2, 3}).with("strides", Ints{2}).with("auto_pad", "SAME_UPPER");
  EXPECT_EQ(same.shape(), (Shape{1, 2, 14}));
}

TEST(ConvTranspose, MacsCountEveryTapOfTheInput) {
  EXPECT_EQ(OneNode("ConvTranspose").in({1, 8, 7, 7}).in({8, 4, 3, 3}).macs(), 8 * 49 * 4 * 9);
}

TEST(QuantisedConv, TypesFollowTheZeroPoint) {
  OneNode n("QLinearConv", 10);
  n.in({1, 3, 8, 8}, DType::uint8)
      .in({})
      .in({}, DType::uint8)
      .in({4, 3, 3, 3}, DType::int8)
      .in({4})
      .in({4}, DType::int8);
  const Fact out = n.in({}).in({}, DType::int8).infer()[0];
  EXPECT_EQ(out.dtype, DType::int8);
  EXPECT_EQ(out.shape, (Shape{1, 4, 6, 6}));
  OneNode integer("ConvInteger", 10);
  EXPECT_EQ(integer.in({1, 3, 8, 8}, DType::uint8).in({4, 3, 3, 3}, DType::uint8).infer()[0].dtype, DType::int32);
}

TEST(DeformConv, ActsAsConv) {
  OneNode n("DeformConv", 19);
  n.in({1, 4, 8, 8}).in({6, 4, 3, 3}).in({1, 18, 6, 6}).in({6});
  EXPECT_EQ(n.shape(), (Shape{1, 6, 6, 6}));
}

TEST(FusedConv, ActsAsConv) {
  OneNode n("FusedConv", 17, "com.microsoft");
  EXPECT_EQ(n.in({1, 4, 8, 8}).in({6, 4, 3, 3}).with("activation", "Relu").shape(), (Shape{1, 6, 6, 6}));
}

}  // namespace
}  // namespace coppice::graph
