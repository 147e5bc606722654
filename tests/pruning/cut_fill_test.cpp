// Operands that say how far something is stretched, repeated, padded or filled.
#include <gtest/gtest.h>

#include "pruning/small.hpp"

namespace coppice::pruning {
namespace {

using graph::attr;
using graph::Builder;
using graph::DType;
using graph::Shape;

TEST(CutExpand, TheTargetFollowsAndOnesStay) {
  Builder b("expand");
  const auto y = conv(b, b.input("x", DType::float32, dims({1, 3, 4, 4})), "a", 8, 3);
  const auto gate = b.op("GlobalAveragePool", {conv(b, y, "g", 8, 8)});
  const auto wide = b.op("Expand", {gate, b.ints({1, 8, 4, 1})}, {}, "wide");
  const Prepared prepared = finish(std::move(b), conv(b, b.op("Mul", {y, wide}), "c", 2, 8), {1, 2, 4, 4});
  const Small small(prepared, without(prepared, "a", 0, {2, 3}));
  EXPECT_EQ(small.operand("wide", 1), (Ints{1, 6, 4, 1}));
  EXPECT_EQ(small.shape("wide"), (Shape{1, 6, 4, 1}));
}

TEST(CutExpand, ATargetOfFewerAxesMeansTheLastOnes) {
  Builder b("expand");
  const auto y = linear(b, b.input("x", DType::float32, dims({5, 4, 3})), "a", 3, 8);
  const auto wide = b.op("Expand", {y, b.ints({4, 8})}, {}, "wide");
  const Prepared prepared = finish(std::move(b), linear(b, wide, "c", 8, 2), {5, 4, 2});
  const Small small(prepared, without(prepared, "a", 1, {1, 5, 6}));
  EXPECT_EQ(small.operand("wide", 1), (Ints{4, 5}));
  EXPECT_EQ(small.shape("wide"), (Shape{5, 4, 5}));
}

TEST(CutExpand, FromOneItFollowsWhatItMeets) {
  Builder b("expand");
  const auto y = linear(b, b.input("x", DType::float32, dims({4, 3})), "a", 3, 8);
  const auto mean = b.op("ReduceMean", {b.input("z", DType::float32, dims({4, 2}))}, {ints("axes", {1})});
  const auto wide = b.op("Expand", {mean, b.ints({4, 8})}, {}, "wide");
  const Prepared prepared = finish(std::move(b), linear(b, b.op("Mul", {y, wide}), "c", 8, 2), {4, 2});
  const Small small(prepared, without(prepared, "a", 1, {0}));
  EXPECT_EQ(small.operand("wide", 1), (Ints{4, 7}));
  EXPECT_EQ(small.shape("wide"), (Shape{4, 7}));
}

TEST(CutConstantOfShape, FollowsWhatItMeets) {
  Builder b("filled");
  const auto y = linear(b, b.input("x", DType::float32, dims({4, 3})), "a", 3, 8);
  const auto half = attr("value", graph::AttributeValue(real({1}, {0.5f})));
  const auto fill = b.op("ConstantOfShape", {b.ints({4, 8})}, {half}, "fill");
  const Prepared prepared = finish(std::move(b), linear(b, b.op("Add", {y, fill}), "c", 8, 2), {4, 2});
  const Small small(prepared, without(prepared, "a", 1, {0, 7}));
  EXPECT_EQ(small.operand("fill", 0), (Ints{4, 6}));
  EXPECT_EQ(small.shape("fill"), (Shape{4, 6}));
}

TEST(CutConstantOfShape, OfAComputedShapeFollowsByItself) {
  Builder b("filled");
  const auto y = linear(b, b.input("x", DType::float32, dims({-1, 3})), "a", 3, 8);
  const auto fill = b.op("ConstantOfShape", {b.op("Shape", {y})}, {}, "fill");
  const Prepared prepared = finish(std::move(b), linear(b, b.op("Add", {y, fill}), "c", 8, 2), {-1, 2});
  const Small small(prepared, without(prepared, "a", 1, {0, 7}));
  EXPECT_EQ(small.model.graph.nodes.size(), prepared.model.graph.nodes.size());
  EXPECT_EQ(small.operand("fill", 0)[1], 6);
  EXPECT_NE(small.operand("fill", 0)[0], small.operand2("fill", 0)[0]);
}

TEST(CutTile, RepeatsStayWhereTheRepeatedShrinks) {
  Builder b("tile");
  const auto y = linear(b, b.input("x", DType::float32, dims({4, 3})), "a", 3, 8);
  const auto twice = b.op("Tile", {y, b.ints({1, 2})}, {}, "twice");
  const Prepared prepared = finish(std::move(b), linear(b, twice, "c", 16, 2), {4, 2});
  const Small small(prepared, without(prepared, "a", 1, {3}));
  EXPECT_EQ(small.operand("twice", 1), (Ints{1, 2}));
  EXPECT_EQ(small.shape("twice"), (Shape{4, 14}));
  EXPECT_EQ(small.shape("c"), (Shape{14, 2}));
}

TEST(CutTile, RepeatsOfOneFollowWhatTheyMeet) {
  Builder b("tile");
  const auto y = linear(b, b.input("x", DType::float32, dims({4, 3})), "a", 3, 8);
  const auto mean = b.op("ReduceMean", {b.input("z", DType::float32, dims({4, 2}))}, {ints("axes", {1})});
  const auto wide = b.op("Tile", {mean, b.ints({1, 8})}, {}, "wide");
  const Prepared prepared = finish(std::move(b), linear(b, b.op("Mul", {y, wide}), "c", 8, 2), {4, 2});
  const Small small(prepared, without(prepared, "a", 1, {3, 6}));
  EXPECT_EQ(small.operand("wide", 1), (Ints{1, 6}));
  EXPECT_EQ(small.shape("wide"), (Shape{4, 6}));
}

// A shortcut of "a" (4 channels) padded with zeros, `before` and `after`, to the 8 channels of "b".
Prepared shortcut(std::int64_t opset, std::int64_t before, std::int64_t after, bool axes) {
  Builder b("shortcut", opset);
  const auto y = conv(b, b.input("x", DType::float32, dims({1, 3, 4, 4})), "a", 4, 3);
  const Ints all{0, before, 0, 0, 0, after, 0, 0};
  graph::ValueId wide = graph::no_value;
  if (opset < 11)
    wide = b.op("Pad", {y}, {ints("pads", all)}, "pad");
  else if (axes)
    wide = b.op("Pad", {y, b.ints({before, after}), graph::no_value, b.ints({-3})}, {}, "pad");
  else
    wide = b.op("Pad", {y, b.ints(all)}, {}, "pad");
  const auto sum = b.op("Add", {wide, conv(b, y, "b", 8, 4)});
  return finish(std::move(b), conv(b, sum, "c", 2, 8), {1, 2, 4, 4});
}

TEST(CutPad, WhatIsAddedShrinksWithWhatItMeets) {
  const Prepared prepared = shortcut(13, 1, 3, false);
  // Channels of "b": 0 is padding, 1 to 4 are those of "a", 5 to 7 are padding.
  const Small small(prepared, without(prepared, "b", 0, {0, 2, 6, 7}));
  EXPECT_EQ(small.operand("pad", 1), (Ints{0, 0, 0, 0, 0, 1, 0, 0}));
  EXPECT_EQ(small.shape("a"), (Shape{3, 3, 1, 1}));
  EXPECT_EQ(small.shape("b"), (Shape{4, 3, 1, 1}));
  EXPECT_EQ(small.shape("pad"), (Shape{1, 4, 4, 4}));
}

TEST(CutPad, InAnAttribute) {
  const Prepared prepared = shortcut(9, 2, 2, false);
  const Small small(prepared, without(prepared, "b", 0, {1, 3}));
  EXPECT_EQ(small.attribute("pad", "pads"), (Ints{0, 1, 0, 0, 0, 2, 0, 0}));
  EXPECT_EQ(small.shape("pad"), (Shape{1, 6, 4, 4}));
}

TEST(CutPad, OfListedAxesAlone) {
  const Prepared prepared = shortcut(18, 0, 4, true);
  const Small small(prepared, without(prepared, "b", 0, {0, 4, 5, 7}));
  EXPECT_EQ(small.operand("pad", 1), (Ints{0, 1}));
  EXPECT_EQ(small.operand("pad", 3), (Ints{-3}));
  EXPECT_EQ(small.shape("pad"), (Shape{1, 4, 4, 4}));
}

TEST(CutPad, NegativePadsTakeAwayWhatIsLeftThere) {
  Builder b("crop");
  const auto y = conv(b, b.input("x", DType::float32, dims({1, 3, 4, 4})), "a", 8, 3);
  const auto inner = b.op("Pad", {y, b.ints({0, -2, 0, 0, 0, -3, 0, 0})}, {}, "crop");  // 2 3 4
  const auto sum = b.op("Add", {conv(b, inner, "c", 2, 3), conv(b, y, "d", 2, 8)});
  const Prepared prepared = finish(std::move(b), sum, {1, 2, 4, 4});
  const Small small(prepared, without(prepared, "a", 0, {0, 3, 6, 7}));  // left: 1 2 4 5
  EXPECT_EQ(small.operand("crop", 1), (Ints{0, -1, 0, 0, 0, -1, 0, 0}));
  EXPECT_EQ(small.shape("crop"), (Shape{1, 2, 4, 4}));
  EXPECT_EQ(small.shape("c"), (Shape{2, 2, 1, 1}));
}

TEST(CutResize, SizesNameTheChannelsThatAreLeft) {
  Builder b("resize");
  const auto y = conv(b, b.input("x", DType::float32, dims({1, 3, 4, 4})), "a", 8, 3);
  const auto large =
      b.op("Resize", {y, graph::no_value, graph::no_value, b.ints({1, 8, 8, 8})}, {text("mode", "nearest")}, "large");
  const Prepared prepared = finish(std::move(b), conv(b, large, "c", 2, 8), {1, 2, 8, 8});
  const Small small(prepared, without(prepared, "a", 0, {0, 3, 6}));
  EXPECT_EQ(small.operand("large", 3), (Ints{1, 5, 8, 8}));
  EXPECT_EQ(small.shape("large"), (Shape{1, 5, 8, 8}));
}

TEST(CutResize, SizesOfListedAxesInTheirOrder) {
  Builder b("resize", 18);
  const auto y = conv(b, b.input("x", DType::float32, dims({1, 3, 4, 4})), "a", 8, 3);
  const auto large = b.op("Resize", {y, graph::no_value, graph::no_value, b.ints({6, 8, 5})},
                          {text("mode", "nearest"), ints("axes", {3, 1, -2})}, "large");
  const Prepared prepared = finish(std::move(b), conv(b, large, "c", 2, 8), {1, 2, 5, 6});
  const Small small(prepared, without(prepared, "a", 0, {0, 3, 6}));
  EXPECT_EQ(small.operand("large", 3), (Ints{6, 5, 5}));
  EXPECT_EQ(small.shape("large"), (Shape{1, 5, 5, 6}));
}

TEST(CutResize, SizesOfSpaceAloneStay) {
  Builder b("resize", 18);
  const auto y = conv(b, b.input("x", DType::float32, dims({1, 3, 4, 4})), "a", 8, 3);
  const auto large = b.op("Resize", {y, graph::no_value, graph::no_value, b.ints({8, 6})},
                          {text("mode", "nearest"), ints("axes", {2, 3})}, "large");
  const Prepared prepared = finish(std::move(b), conv(b, large, "c", 2, 8), {1, 2, 8, 6});
  const Small small(prepared, without(prepared, "a", 0, {0, 3, 6}));
  EXPECT_EQ(small.operand("large", 3), (Ints{8, 6}));
  EXPECT_EQ(small.shape("large"), (Shape{1, 5, 8, 6}));
}

TEST(CutResize, ADynamicBatchStaysSo) {
  Builder b("resize");
  const auto y = conv(b, b.input("x", DType::float32, dims({-1, 3, 4, 4})), "a", 8, 3);
  const auto batch = b.op("Gather", {b.op("Shape", {y}), b.ints({0})});
  const auto target = [&](const Ints& rest) { return b.op("Concat", {batch, b.ints(rest)}, {attr("axis", 0)}); };
  const auto large =
      b.op("Resize", {y, graph::no_value, graph::no_value, target({8, 6, 6})}, {text("mode", "nearest")}, "large");
  const auto mean = b.op("ReduceMean", {large}, {ints("axes", {2, 3})});
  const auto wide = b.op("Expand", {mean, target({8, 6, 6})}, {}, "wide");
  const Prepared prepared = finish(std::move(b), conv(b, b.op("Mul", {large, wide}), "c", 2, 8), {-1, 2, 6, 6});
  const Small small(prepared, without(prepared, "a", 0, {0, 3, 6}));
  for (const auto& [name, operand] : {std::pair{"large", 3}, std::pair{"wide", 1}}) {
    const auto i = static_cast<std::size_t>(operand);
    const Ints first = small.operand(name, i), second = small.operand2(name, i);
    EXPECT_EQ(first, (Ints{first[0], 5, 6, 6}));
    EXPECT_EQ(second, (Ints{second[0], 5, 6, 6}));
    EXPECT_NE(first[0], second[0]);
  }
  EXPECT_EQ(small.count("Where"), 0u);
}

// Four channels to the blocks of each of four depths; a depth goes from every block.
void expect_depth(std::string_view mode, const Ints& removed, const Ints& also) {
  Builder b("depth");
  const auto y = conv(b, b.input("x", DType::float32, dims({1, 3, 2, 2})), "a", 16, 3);
  const auto large = b.op("DepthToSpace", {y}, {attr("blocksize", 2), text("mode", mode)}, "large");
  const Prepared prepared = finish(std::move(b), conv(b, large, "c", 2, 4), {1, 2, 4, 4});
  const auto units = without(prepared, "a", 0, removed);
  EXPECT_EQ(units, without(prepared, "a", 0, also));
  const Small small(prepared, units);
  EXPECT_EQ(small.node("large").int_or("blocksize", 0), 2);
  EXPECT_EQ(small.shape("a"), (Shape{12, 3, 1, 1}));
  EXPECT_EQ(small.shape("large"), (Shape{1, 3, 4, 4}));
  EXPECT_EQ(small.shape("c"), (Shape{2, 3, 1, 1}));
}

TEST(CutDepthToSpace, TheBlocksStay) {
  expect_depth("DCR", {1}, {1, 5, 9, 13});
  expect_depth("CRD", {4}, {4, 5, 6, 7});
}

TEST(CutSpaceToDepth, EveryBlockLosesTheChannel) {
  Builder b("depth");
  const auto y = conv(b, b.input("x", DType::float32, dims({1, 3, 4, 4})), "a", 4, 3);
  const auto small_side = b.op("SpaceToDepth", {y}, {attr("blocksize", 2)}, "deep");
  const Prepared prepared = finish(std::move(b), conv(b, small_side, "c", 2, 16), {1, 2, 2, 2});
  const Small small(prepared, without(prepared, "a", 0, {1}));
  EXPECT_EQ(small.shape("deep"), (Shape{1, 12, 2, 2}));
  EXPECT_EQ(small.shape("c"), (Shape{2, 12, 1, 1}));
}

}  // namespace
}  // namespace coppice::pruning
