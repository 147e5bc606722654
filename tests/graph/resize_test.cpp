#include <gtest/gtest.h>

#include "coppice/base/error.hpp"

#include "one_node.hpp"

namespace coppice::graph {
namespace {

using Ints = std::vector<std::int64_t>;

TEST(Resize, ScalesByOperatorSet) {
  EXPECT_EQ(OneNode("Resize", 10).in({1, 3, 5, 7}).reals({1, 1, 2, 0.5f}).shape(), (Shape{1, 3, 10, 3}));
  EXPECT_EQ(OneNode("Resize", 11).in({1, 3, 5, 7}).reals({}).reals({1, 1, 2, 0.5f}).shape(), (Shape{1, 3, 10, 3}));
  EXPECT_EQ(OneNode("Resize", 13).in({1, 3, 5, 7}).absent().reals({1, 1, 2, 0.5f}).shape(), (Shape{1, 3, 10, 3}));
}

TEST(Resize, ScalesMultiplyInFloat) {
  // 0.7 * 10 is 6.999... in doubles of the float 0.7f, and 7 in floats.
  EXPECT_EQ(OneNode("Resize", 13).in({10}).absent().reals({0.7f}).shape(), (Shape{7}));
}

TEST(Resize, SizesWinOverEmptyScales) {
  EXPECT_EQ(OneNode("Resize", 13).in({1, 3, 5, 7}).absent().reals({}).ints({1, 3, 9, 9}).shape(), (Shape{1, 3, 9, 9}));
}

TEST(Resize, AxesAndAspectRatio) {
  const auto shape = [](const char* policy) {
    OneNode n("Resize", 18);
    n.in({1, 3, 20, 40}).absent().absent().ints({10, 10}).with("axes", Ints{2, -1});
    return n.with("keep_aspect_ratio_policy", policy).shape();
  };
  EXPECT_EQ(shape("stretch"), (Shape{1, 3, 10, 10}));
  EXPECT_EQ(shape("not_larger"), (Shape{1, 3, 5, 10}));    // by 10 / 40
  EXPECT_EQ(shape("not_smaller"), (Shape{1, 3, 10, 20}));  // by 10 / 20
  EXPECT_THROW(shape("squeeze"), Error);
}

TEST(Resize, UnknownOperandsLeaveTheAxesOpen) {
  OneNode n("Resize", 18);
  n.in({1, 3, 20, 40}).absent().absent().in({2}, DType::int64).with("axes", Ints{2, 3});
  EXPECT_EQ(n.shape(), (Shape{1, 3, -1, -1}));
  EXPECT_EQ(OneNode("Resize", 13).in({1, -1}).absent().reals({1, 2}).shape(), (Shape{1, -1}));
}

TEST(Resize, ContradictionsAreRefused) {
  EXPECT_THROW(OneNode("Resize", 13).in({1, 3, 5}).absent().reals({1, 2}).shape(), Error);
  EXPECT_THROW(OneNode("Resize", 13).in({1, 3}).absent().reals({1, -2}).shape(), Error);
  EXPECT_THROW(OneNode("Resize", 13).in({1, 3}).absent().reals({1, 1e30f}).shape(), Error);
}

TEST(Upsample, AttributeThenOperand) {
  OneNode old("Upsample", 7);
  old.in({1, 2, 3, 4}).with("scales", AttributeValue(std::vector<float>{1, 1, 2, 3}));
  EXPECT_EQ(old.shape(), (Shape{1, 2, 6, 12}));
  EXPECT_EQ(OneNode("Upsample", 9).in({1, 2, 3, 4}).reals({1, 1, 2, 3}).shape(), (Shape{1, 2, 6, 12}));
}

TEST(Space, DepthAndBack) {
  EXPECT_EQ(OneNode("DepthToSpace").in({1, 12, 2, 3}).with("blocksize", 2).shape(), (Shape{1, 3, 4, 6}));
  EXPECT_EQ(OneNode("SpaceToDepth").in({1, 3, 4, 6}).with("blocksize", 2).shape(), (Shape{1, 12, 2, 3}));
  EXPECT_THROW(OneNode("DepthToSpace").in({1, 10, 2, 3}).with("blocksize", 2).shape(), Error);
  EXPECT_THROW(OneNode("SpaceToDepth").in({1, 3, 5, 6}).with("blocksize", 2).shape(), Error);
}

TEST(Space, Grids) {
  EXPECT_EQ(OneNode("GridSample").in({2, 3, 8, 8}).in({2, 5, 6, 2}).shape(), (Shape{2, 3, 5, 6}));
  EXPECT_EQ(OneNode("GridSample", 20).in({2, 3, 8, 8, 8}).in({2, 5, 6, 7, 3}).shape(), (Shape{2, 3, 5, 6, 7}));
  EXPECT_THROW(OneNode("GridSample").in({2, 3, 8, 8}).in({2, 5, 6, 3}).shape(), Error);
  EXPECT_EQ(OneNode("AffineGrid", 20).in({2, 2, 3}).ints({2, 3, 5, 6}).shape(), (Shape{2, 5, 6, 2}));
  EXPECT_EQ(OneNode("AffineGrid", 20).in({2, 3, 4}).ints({2, 3, 4, 5, 6}).shape(), (Shape{2, 4, 5, 6, 3}));
}

TEST(Space, CropAndColumns) {
  OneNode crop("CenterCropPad", 18);
  EXPECT_EQ(crop.in({20, 8, 3}).ints({10, 9}).with("axes", Ints{0, 1}).shape(), (Shape{10, 9, 3}));
  EXPECT_EQ(OneNode("CenterCropPad", 18).in({20, 8}).ints({10, 9}).shape(), (Shape{10, 9}));
  EXPECT_EQ(OneNode("Col2Im", 18).in({1, 5 * 6, 20}).ints({5, 8}).ints({2, 3}).shape(), (Shape{1, 5, 5, 8}));
  EXPECT_THROW(OneNode("Col2Im", 18).in({1, 31, 20}).ints({5, 8}).ints({2, 3}).shape(), Error);
}

}  // namespace
}  // namespace coppice::graph
