#include <gtest/gtest.h>

#include "coppice/base/error.hpp"

#include "one_node.hpp"

namespace coppice::graph {
namespace {

using Ints = std::vector<std::int64_t>;

TEST(Pool, FloorAndCeil) {
  const auto extent = [](int ceil, std::int64_t in, Ints pads) {
    OneNode n("MaxPool");
    n.in({1, 1, in}).with("kernel_shape", Ints{3}).with("strides", Ints{2}).with("ceil_mode", ceil);
    return n.with("pads", std::move(pads)).shape().back();
  };
  EXPECT_EQ(extent(0, 6, {0, 0}), 2);
  EXPECT_EQ(extent(1, 6, {0, 0}), 3);
  // (5 + 2 - 3) / 2 + 1 = 3 either way.
  EXPECT_EQ(extent(0, 5, {1, 1}), 3);
  EXPECT_EQ(extent(1, 5, {1, 1}), 3);
}

TEST(Pool, AWindowThatStartsInTheRightPaddingIsDropped) {
  // ceil((2 + 2 - 1) / 2) + 1 = 3 windows, of which the last would start at 4, behind 2 elements and 1 of padding.
  OneNode n("AveragePool", 19);
  n.in({1, 1, 2}).with("kernel_shape", Ints{1}).with("strides", Ints{2}).with("pads", Ints{1, 1}).with("ceil_mode", 1);
  EXPECT_EQ(n.shape(), (Shape{1, 1, 2}));
}

TEST(Pool, IndicesAreWholeNumbers) {
  const auto out = OneNode("MaxPool").in({1, 2, 4, 4}).with("kernel_shape", Ints{2, 2}).infer(2);
  EXPECT_EQ(out[1].dtype, DType::int64);
  EXPECT_EQ(out[1].shape, (Shape{1, 2, 3, 3}));
}

TEST(Pool, DilationsAndSame) {
  OneNode n("MaxPool", 10);
  EXPECT_EQ(n.in({1, 1, 9}).with("kernel_shape", Ints{3}).with("dilations", Ints{3}).shape(), (Shape{1, 1, 3}));
  OneNode same("LpPool", 11);
  same.in({1, 1, 9}).with("kernel_shape", Ints{4}).with("strides", Ints{2}).with("auto_pad", "SAME_LOWER");
  EXPECT_EQ(same.shape(), (Shape{1, 1, 5}));
}

TEST(Pool, GlobalPoolsLeaveOneElementAChannel) {
  for (const char* op : {"GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"})
    EXPECT_EQ(OneNode(op).in({-1, 7, 5, 6}).shape(), (Shape{-1, 7, 1, 1})) << op;
}

TEST(Pool, Unpool) {
  OneNode n("MaxUnpool", 11);
  n.in({1, 2, 3, 3}).in({1, 2, 3, 3}, DType::int64).with("kernel_shape", Ints{2, 2}).with("strides", Ints{2, 2});
  EXPECT_EQ(n.shape(), (Shape{1, 2, 6, 6}));
  OneNode given("MaxUnpool", 11);
  given.in({1, 2, 3, 3}).in({1, 2, 3, 3}, DType::int64).ints({1, 2, 7, 7}).with("kernel_shape", Ints{2, 2});
  EXPECT_EQ(given.shape(), (Shape{1, 2, 7, 7}));
}

TEST(Pool, QuantisedWithChannelsLast) {
  OneNode n("QLinearAveragePool", 17, "com.microsoft");
  n.in({1, 8, 6, 5}, DType::uint8).in({}).in({}, DType::uint8).in({}).in({}, DType::uint8);
  EXPECT_EQ(n.with("kernel_shape", Ints{2, 2}).with("channels_last", 1).shape(), (Shape{1, 7, 5, 5}));
}

TEST(Pool, WindowLargerThanTheImageIsRefused) {
  EXPECT_THROW(OneNode("MaxPool").in({1, 1, 2, 2}).with("kernel_shape", Ints{3, 3}).shape(), Error);
  EXPECT_THROW(OneNode("MaxPool").in({1, 1, 2, 2}).with("kernel_shape", Ints{3}).shape(), Error);
  EXPECT_THROW(OneNode("MaxPool").in({1, 1, 8}).with("kernel_shape", Ints{3}).with("auto_pad", "SAME").shape(), Error);
}

TEST(Regions, OneImageARegion) {
  OneNode align("RoiAlign", 16);
  align.in({2, 8, 20, 20}).in({5, 4}).in({5}, DType::int64).with("output_height", 7).with("output_width", 6);
  EXPECT_EQ(align.shape(), (Shape{5, 8, 7, 6}));
  OneNode pool("MaxRoiPool");
  EXPECT_EQ(pool.in({2, 8, 20, 20}).in({-1, 5}).with("pooled_shape", Ints{2, 3}).shape(), (Shape{-1, 8, 2, 3}));
  EXPECT_EQ(OneNode("NonMaxSuppression", 11).in({1, 9, 4}).in({1, 2, 9}).shape(), (Shape{-1, 3}));
}

}  // namespace
}  // namespace coppice::graph
