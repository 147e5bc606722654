// Numbers that are computed from shapes that shrink, but mean something else, stay what they were.
#include <cmath>

#include <gtest/gtest.h>

#include "pruning/small.hpp"

namespace coppice::pruning {
namespace {

using graph::attr;
using graph::Builder;
using graph::DType;
using graph::Shape;
using graph::ValueId;

// y (4, 8) = x times "a", and its number of features.
struct Features {
  Builder b;
  ValueId y, count;
  explicit Features(std::int64_t opset = 17) : b("features", opset) {
    y = linear(b, b.input("x", DType::float32, dims({4, 3})), "a", 3, 8);
    count = b.op("Gather", {b.op("Shape", {y}), b.ints({1})});
  }
  ValueId half() { return b.op("Div", {count, b.ints({2})}); }
  ValueId number(ValueId vector) { return b.op("Squeeze", {vector, b.ints({0})}); }
  ValueId one(ValueId value, const Ints& axes) {
    return b.op("ReduceSum", {value, b.ints(axes)}, {attr("keepdims", 1)});
  }
  Prepared end(ValueId other) && {
    const auto sum = b.op("Add", {linear(b, y, "c", 8, 1), other});
    return finish(std::move(b), sum, {4, 1});
  }
};

// Four of eight features go.
Small halved(const Prepared& prepared) {
  return Small(prepared, without(prepared, "a", 1, {0, 2, 4, 6}));
}

TEST(CutKept, KOfTopK) {
  Features f;
  const auto z = f.b.input("z", DType::float32, dims({4, 6}));
  const auto best = f.b.op_multi("TopK", {z, f.half()}, 2, {attr("axis", 1)}, "best");
  const ValueId other = f.one(best[0], {1});
  const Small small = halved(std::move(f).end(other));
  EXPECT_EQ(small.operand("best", 1), (Ints{4}));
  EXPECT_EQ(small.shape("best:0"), (Shape{4, 4}));
  EXPECT_EQ(small.shape("a"), (Shape{3, 4}));
}

TEST(CutKept, DepthOfOneHot) {
  Features f;
  const auto ids = f.b.input("ids", DType::int64, dims({4}));
  const auto hot = f.b.op("OneHot", {ids, f.number(f.count), f.b.initializer("off_on", real({2}, {0, 1}))}, {}, "hot");
  const ValueId other = linear(f.b, hot, "d", 8, 1);
  const Small small = halved(std::move(f).end(other));
  EXPECT_EQ(small.operand("hot", 1), (Ints{8}));
  EXPECT_EQ(small.shape("hot"), (Shape{4, 8}));
  EXPECT_EQ(small.shape("d"), (Shape{8, 1}));
}

TEST(CutKept, PositionsOfRange) {
  Features f;
  const auto from = f.b.int_scalar(0), step = f.b.int_scalar(1);
  const auto positions = f.b.op("Range", {from, f.number(f.half()), step}, {}, "positions");
  const auto rows = f.b.op("Gather", {f.b.input("table", DType::float32, dims({7, 5})), positions}, {}, "rows");
  const ValueId other = f.one(rows, {1});
  const Small small = halved(std::move(f).end(other));
  EXPECT_EQ(small.operand("rows", 1), (Ints{0, 1, 2, 3}));
  EXPECT_EQ(small.shape("rows"), (Shape{4, 5}));
}

TEST(CutKept, RepeatsAndTargetsOfWhatLosesNothing) {
  Features f;
  const auto z = f.b.input("z", DType::float32, dims({1, 2}));
  const auto tiled = f.b.op("Tile", {z, f.b.op("Concat", {f.half(), f.b.ints({1})}, {attr("axis", 0)})}, {}, "tiled");
  const auto wide = f.b.op("Expand", {z, f.b.op("Concat", {f.half(), f.b.ints({2})}, {attr("axis", 0)})}, {}, "wide");
  const ValueId other = f.one(f.b.op("Add", {tiled, wide}), {1});
  const Small small = halved(std::move(f).end(other));
  EXPECT_EQ(small.operand("tiled", 1), (Ints{4, 1}));
  EXPECT_EQ(small.operand("wide", 1), (Ints{4, 2}));
  EXPECT_EQ(small.shape("tiled"), (Shape{4, 2}));
}

TEST(CutKept, ASplitAndASliceOfWhatLosesNothing) {
  Features f;
  const auto z = f.b.input("z", DType::float32, dims({4, 8}));
  const auto part = f.b.op("Slice", {z, f.b.ints({0}), f.half(), f.b.ints({1})}, {}, "part");
  const auto halves = f.b.op_multi("Split", {z, f.b.op("Concat", {f.half(), f.half()}, {attr("axis", 0)})}, 2,
                                   {attr("axis", 1)}, "halves");
  const ValueId other = f.one(f.b.op("Add", {part, f.b.op("Mul", halves)}), {1});
  const Small small = halved(std::move(f).end(other));
  EXPECT_EQ(small.operand("part", 2), (Ints{4}));
  EXPECT_EQ(small.operand("halves", 1), (Ints{4, 4}));
  EXPECT_EQ(small.shape("part"), (Shape{4, 4}));
}

TEST(CutKept, AScaleThatIsDataBecomesALiteral) {
  // An attention scale: the root of the number of features, as trained.
  Features f;
  const auto real_count = f.b.op("Cast", {f.number(f.count)}, {attr("to", static_cast<int>(DType::float32))});
  const auto z = f.b.input("z", DType::float32, dims({4, 1}));
  const ValueId other = f.b.op("Div", {z, f.b.op("Sqrt", {real_count})}, {}, "scaled");
  const Small small = halved(std::move(f).end(other));
  const graph::Tensor* scale = small.model.graph.constant(small.node("scaled").input(1));
  ASSERT_NE(scale, nullptr);
  EXPECT_EQ(scale->dtype, DType::float32);
  EXPECT_EQ(scale->shape, Shape{});
  EXPECT_NEAR(tensor::element_as_double(*scale, 0), std::sqrt(8.0), 1e-6);
  EXPECT_EQ(small.count("Sqrt"), 0u);
}

TEST(CutKept, AScaleThatDoesNotShrinkStaysComputed) {
  Features f;
  const auto rows = f.b.op("Gather", {f.b.op("Shape", {f.y}), f.b.int_scalar(0)});
  const auto real_rows = f.b.op("Cast", {rows}, {attr("to", static_cast<int>(DType::float32))});
  const auto z = f.b.input("z", DType::float32, dims({4, 1}));
  const ValueId other = f.b.op("Div", {z, f.b.op("Sqrt", {real_rows})}, {}, "scaled");
  const Small small = halved(std::move(f).end(other));
  EXPECT_EQ(small.model.graph.constant(small.node("scaled").input(1)), nullptr);
  EXPECT_EQ(small.count("Sqrt"), 1u);
}

}  // namespace
}  // namespace coppice::pruning
