// Slice bounds as attributes, operands, counted from either end, and computed; Gather's indices.
#include <limits>

#include <gtest/gtest.h>

#include "pruning/small.hpp"

namespace coppice::pruning {
namespace {

using graph::attr;
using graph::DType;
using graph::Shape;
using graph::ValueId;

constexpr std::int64_t forever = std::numeric_limits<std::int64_t>::max();

// x (1, 3) -> "a" to 8 features -> "slice" of `left` of them -> "c".
Prepared sliced(const Ints& starts, const Ints& ends, const Ints& axes, std::int64_t left) {
  graph::Builder b("sliced");
  const auto y = linear(b, b.input("x", DType::float32, dims({1, 3})), "a", 3, 8);
  std::vector<ValueId> inputs{y, b.ints(starts), b.ints(ends)};
  if (!axes.empty()) inputs.push_back(b.ints(axes));
  const auto part = b.op("Slice", inputs, {}, "slice");
  const auto sum = b.op("Add", {linear(b, part, "c", left, 2), linear(b, y, "d", 8, 2)});
  return finish(std::move(b), sum, {1, 2});
}

TEST(CutSlice, BoundsCountWhatIsLeftBeforeThem) {
  const Prepared prepared = sliced({2}, {6}, {1}, 4);
  const Small small(prepared, without(prepared, "a", 1, {0, 3, 7}));  // left: 1 2 4 5 6
  EXPECT_EQ(small.operand("slice", 1), (Ints{1}));
  EXPECT_EQ(small.operand("slice", 2), (Ints{4}));
  EXPECT_EQ(small.shape("slice"), (Shape{1, 3}));
  EXPECT_EQ(small.shape("c"), (Shape{3, 2}));
}

TEST(CutSlice, BoundsFromTheEndStaySo) {
  const Prepared prepared = sliced({-5}, {-1}, {-1}, 4);              // 3 to 6
  const Small small(prepared, without(prepared, "a", 1, {0, 4, 5}));  // left: 1 2 3 6 7
  EXPECT_EQ(small.operand("slice", 1), (Ints{-3}));
  EXPECT_EQ(small.operand("slice", 2), (Ints{-1}));
  EXPECT_EQ(small.shape("slice"), (Shape{1, 2}));
}

TEST(CutSlice, UpToTheEndStaysSo) {
  const Prepared prepared = sliced({3}, {forever}, {1}, 5);
  const Small small(prepared, without(prepared, "a", 1, {2, 7}));
  EXPECT_EQ(small.operand("slice", 1), (Ints{2}));
  EXPECT_EQ(small.operand("slice", 2), (Ints{forever}));
  EXPECT_EQ(small.shape("slice"), (Shape{1, 4}));
}

TEST(CutSlice, FromTheEndWhereEverythingBehindGoes) {
  // -2 selects 6 and 7; with 6 and 7 kept and 5 gone nothing moves, with 7 gone the start is the last but none.
  const Prepared prepared = sliced({-2}, {forever}, {1}, 2);
  const Small small(prepared, without(prepared, "a", 1, {7}));
  EXPECT_EQ(small.operand("slice", 1), (Ints{-1}));
  EXPECT_EQ(small.shape("slice"), (Shape{1, 1}));
}

TEST(CutSlice, WithoutAxesTheFirstOnesAreMeant) {
  const Prepared prepared = sliced({0, 4}, {1, 8}, {}, 4);
  const Small small(prepared, without(prepared, "a", 1, {1, 6}));
  EXPECT_EQ(small.operand("slice", 1), (Ints{0, 3}));
  EXPECT_EQ(small.operand("slice", 2), (Ints{1, 8}));  // 8 was the end already: up to the end, as before
  EXPECT_EQ(small.shape("slice"), (Shape{1, 3}));
}

TEST(CutSlice, BoundsInAttributes) {
  graph::Builder b("old", 9);
  const auto y = linear(b, b.input("x", DType::float32, dims({1, 3})), "a", 3, 8);
  const auto part = b.op("Slice", {y}, {ints("axes", {1}), ints("starts", {1}), ints("ends", {5})}, "slice");
  const Prepared prepared = finish(std::move(b), linear(b, part, "c", 4, 2), {1, 2});
  const Small small(prepared, without(prepared, "a", 1, {0, 1, 2}));
  EXPECT_EQ(small.attribute("slice", "starts"), (Ints{0}));
  EXPECT_EQ(small.attribute("slice", "ends"), (Ints{2}));
  EXPECT_EQ(small.attribute("slice", "axes"), (Ints{1}));
  EXPECT_EQ(small.shape("slice"), (Shape{1, 2}));
}

TEST(CutSlice, BoundsComputedAsHalfTheChannels) {
  // ShuffleNet: [0, C / 2) and [C / 2, C) of the same value; what is left of the halves differs.
  graph::Builder b("halves");
  const auto y = linear(b, b.input("x", DType::float32, dims({-1, 3})), "a", 3, 8);
  const auto channels = b.op("Gather", {b.op("Shape", {y}), b.ints({1})});
  const auto half = b.op("Div", {channels, b.ints({2})});
  const auto left = b.op("Slice", {y, b.ints({0}), half, b.ints({1})}, {}, "left");
  const auto right = b.op("Slice", {y, half, channels, b.ints({1})}, {}, "right");
  const auto sum = b.op("Add", {linear(b, left, "l", 4, 2), linear(b, right, "r", 4, 2)});
  const Prepared prepared = finish(std::move(b), sum, {-1, 2});
  const Small small(prepared, without(prepared, "a", 1, {0, 1, 5}));
  EXPECT_EQ(small.operand("left", 1), (Ints{0}));
  EXPECT_EQ(small.operand("left", 2), (Ints{2}));
  EXPECT_EQ(small.operand("right", 1), (Ints{2}));
  EXPECT_EQ(small.operand("right", 2), (Ints{5}));
  EXPECT_EQ(small.shape("l"), (Shape{2, 2}));
  EXPECT_EQ(small.shape("r"), (Shape{3, 2}));
}

TEST(CutSlice, OfAnotherAxisStays) {
  graph::Builder b("rows");
  const auto y = linear(b, b.input("x", DType::float32, dims({6, 3})), "a", 3, 8);
  const auto part = b.op("Slice", {y, b.ints({1}), b.ints({5}), b.ints({0})}, {}, "slice");
  const Prepared prepared = finish(std::move(b), linear(b, part, "c", 8, 2), {4, 2});
  const Small small(prepared, without(prepared, "a", 1, {0, 1}));
  EXPECT_EQ(small.operand("slice", 1), (Ints{1}));
  EXPECT_EQ(small.operand("slice", 2), (Ints{5}));
  EXPECT_EQ(small.shape("slice"), (Shape{4, 6}));
}

// x (1, 3) -> "a" to 8 features -> "pick" with `indices` -> "c" (or nothing, for a scalar) and "d" of all features.
Prepared gathered(const Ints& indices, bool shared_with_rows = false) {
  graph::Builder b("gathered");
  const auto y = linear(b, b.input("x", DType::float32, dims({4, 3})), "a", 3, 8);
  const auto which = b.initializer("which", graph::Tensor::ints(indices));
  const auto part = b.op("Gather", {y, which}, {attr("axis", 1)}, "pick");
  const auto rows = shared_with_rows ? b.op("Gather", {y, which}, {attr("axis", 0)}, "rows") : y;
  const auto c = linear(b, part, "c", static_cast<std::int64_t>(indices.size()), 1);
  return finish(std::move(b), b.op("Add", {b.op("ReduceSum", {c}), b.op("ReduceSum", {linear(b, rows, "d", 8, 1)})}),
                {1, 1});
}

TEST(CutGather, IndicesMoveUpAndThoseOfRemovedUnitsGo) {
  const Prepared prepared = gathered({7, 2, -3, 0});
  const Small small(prepared, without(prepared, "a", 1, {1, 2}));  // left: 0 3 4 5 6 7
  EXPECT_EQ(small.operand("pick", 1), (Ints{5, 3, 0}));
  EXPECT_EQ(small.shape("pick"), (Shape{4, 3}));
  EXPECT_EQ(small.shape("c"), (Shape{3, 1}));
}

TEST(CutGather, IndicesSharedWithAnotherAxisAreCopied) {
  const Prepared prepared = gathered({0, 3, 1}, true);
  const Small small(prepared, without(prepared, "a", 1, {1, 2}));
  EXPECT_EQ(small.operand("pick", 1), (Ints{0, 1}));
  EXPECT_EQ(small.operand("rows", 1), (Ints{0, 3, 1}));
  EXPECT_EQ(small.shape("rows"), (Shape{3, 6}));
}

TEST(CutGather, AScalarFollowsTheIndexThatItPicks) {
  graph::Builder b("picked");
  const auto y = linear(b, b.input("x", DType::float32, dims({4, 3})), "a", 3, 8);
  const auto column = b.op("Gather", {y, b.int_scalar(-2)}, {attr("axis", 1)}, "pick");
  const auto wide = b.op("Unsqueeze", {column, b.ints({1})});
  const Prepared prepared = finish(std::move(b), b.op("Mul", {wide, linear(b, y, "d", 8, 2)}), {4, 2});
  EXPECT_THROW(without(prepared, "a", 1, {6}), std::invalid_argument);  // what is picked stays
  const Small small(prepared, without(prepared, "a", 1, {0, 4, 7}));
  EXPECT_EQ(small.operand("pick", 1), (Ints{4}));
  EXPECT_EQ(small.shape("pick"), (Shape{4}));
}

}  // namespace
}  // namespace coppice::pruning
