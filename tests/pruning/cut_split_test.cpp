// Split in its four spellings: an attribute, an operand, a number of parts, and nothing.
#include <gtest/gtest.h>

#include "pruning/small.hpp"

namespace coppice::pruning {
namespace {

using graph::attr;
using graph::Attribute;
using graph::DType;
using graph::Shape;
using graph::ValueId;

// x (1, 3) -> "a" to 8 features -> "split" in two along axis 1 -> one matrix each, "l" and "r", summed.
Prepared halves(std::int64_t opset, std::vector<Attribute> attributes, const Ints& sizes, bool operand) {
  graph::Builder b("halves", opset);
  const auto y = linear(b, b.input("x", DType::float32, dims({1, 3})), "a", 3, sizes[0] + sizes[1]);
  std::vector<ValueId> inputs{y};
  if (operand) inputs.push_back(b.ints(sizes));
  attributes.push_back(attr("axis", 1));
  const auto parts = b.op_multi("Split", inputs, 2, std::move(attributes), "split");
  const auto sum = b.op("Add", {linear(b, parts[0], "l", sizes[0], 2), linear(b, parts[1], "r", sizes[1], 2)});
  return finish(std::move(b), sum, {1, 2});
}

TEST(CutSplit, SizesInAnAttribute) {
  const Prepared prepared = halves(11, {ints("split", {3, 5})}, {3, 5}, false);
  const Small small(prepared, without(prepared, "a", 1, {0, 4, 7}));
  EXPECT_EQ(small.attribute("split", "split"), (Ints{2, 3}));
  EXPECT_EQ(small.node("split").inputs.size(), 1u);
  EXPECT_EQ(small.shape("split:0"), (Shape{1, 2}));
  EXPECT_EQ(small.shape("split:1"), (Shape{1, 3}));
  EXPECT_EQ(small.shape("l"), (Shape{2, 2}));
  EXPECT_EQ(small.shape("r"), (Shape{3, 2}));
}

TEST(CutSplit, SizesInAnOperand) {
  const Prepared prepared = halves(13, {}, {3, 5}, true);
  const Small small(prepared, without(prepared, "a", 1, {1, 2}));
  EXPECT_EQ(small.operand("split", 1), (Ints{1, 5}));
  EXPECT_EQ(small.shape("split:0"), (Shape{1, 1}));
  EXPECT_EQ(small.shape("split:1"), (Shape{1, 5}));
}

TEST(CutSplit, EqualPartsThatStayEqualSayNothing) {
  for (const std::int64_t opset : {11, 13}) {
    const Prepared prepared = halves(opset, {}, {4, 4}, false);
    const Small small(prepared, without(prepared, "a", 1, {0, 7}));
    EXPECT_FALSE(small.node("split").has("split"));
    EXPECT_EQ(small.node("split").inputs.size(), 1u);
    EXPECT_EQ(small.shape("split:1"), (Shape{1, 3}));
  }
}

TEST(CutSplit, EqualPartsThatBecomeUnequalSayTheirSizes) {
  const Prepared old = halves(11, {}, {4, 4}, false);
  const Small before_13(old, without(old, "a", 1, {0}));
  EXPECT_EQ(before_13.attribute("split", "split"), (Ints{3, 4}));
  const Prepared fresh = halves(13, {}, {4, 4}, false);
  const Small since_13(fresh, without(fresh, "a", 1, {0}));
  EXPECT_FALSE(since_13.node("split").has("split"));
  EXPECT_EQ(since_13.operand("split", 1), (Ints{3, 4}));
  EXPECT_EQ(since_13.shape("split:0"), (Shape{1, 3}));
  EXPECT_EQ(since_13.shape("split:1"), (Shape{1, 4}));
}

TEST(CutSplit, ANumberOfPartsGivesWayToSizesWhereTheyDiffer) {
  // Operator set 18: seven in two parts are four and three.
  const Prepared prepared = halves(18, {attr("num_outputs", 2)}, {4, 3}, false);
  const Small equal(prepared, without(prepared, "a", 1, {0}));
  EXPECT_EQ(equal.node("split").int_or("num_outputs", 0), 2);
  EXPECT_EQ(equal.node("split").inputs.size(), 1u);
  EXPECT_EQ(equal.shape("split:0"), (Shape{1, 3}));
  EXPECT_EQ(equal.shape("split:1"), (Shape{1, 3}));
  // Five in two parts would be three and two.
  const Small unequal(prepared, without(prepared, "a", 1, {0, 1}));
  EXPECT_FALSE(unequal.node("split").has("num_outputs"));
  EXPECT_EQ(unequal.operand("split", 1), (Ints{2, 3}));
  EXPECT_EQ(unequal.shape("split:1"), (Shape{1, 3}));
}

TEST(CutSplit, OfAnotherAxisStays) {
  graph::Builder b("rows");
  const auto y = linear(b, b.input("x", DType::float32, dims({6, 3})), "a", 3, 8);
  const auto parts = b.op_multi("Split", {y, b.ints({2, 4})}, 2, {attr("axis", 0)}, "split");
  const auto both = b.op("Concat", parts, {attr("axis", 0)});
  const Prepared prepared = finish(std::move(b), linear(b, both, "c", 8, 2), {6, 2});
  const Small small(prepared, without(prepared, "a", 1, {5}));
  EXPECT_EQ(small.operand("split", 1), (Ints{2, 4}));
  EXPECT_EQ(small.shape("split:1"), (Shape{4, 7}));
}

TEST(CutSplit, SizesSharedWithOneThatDoesNotShrinkAreCopied) {
  graph::Builder b("shared");
  const auto x = b.input("x", DType::float32, dims({1, 8}));
  const auto sizes = b.initializer("sizes", graph::Tensor::ints(Ints{4, 4}));
  const auto whole = b.op_multi("Split", {x, sizes}, 2, {attr("axis", 1)}, "whole");
  const auto thin = b.op_multi("Split", {linear(b, x, "a", 8, 8), sizes}, 2, {attr("axis", 1)}, "thin");
  const auto left = b.op("Mul", {whole[0], whole[1]});
  const auto sum =
      b.op("Add", {linear(b, left, "l", 4, 2), linear(b, b.op("Concat", thin, {attr("axis", 1)}), "r", 8, 2)});
  const Prepared prepared = finish(std::move(b), sum, {1, 2});
  const Small small(prepared, without(prepared, "a", 1, {0, 1, 6}));
  EXPECT_EQ(small.operand("whole", 1), (Ints{4, 4}));
  EXPECT_EQ(small.operand("thin", 1), (Ints{2, 3}));
  EXPECT_EQ(small.shape("whole:0"), (Shape{1, 4}));
  EXPECT_EQ(small.shape("thin:1"), (Shape{1, 3}));
}

}  // namespace
}  // namespace coppice::pruning
