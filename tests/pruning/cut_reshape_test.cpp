// Reshape targets: literal, a Constant node, computed, with 0 and -1.
#include <gtest/gtest.h>

#include "pruning/small.hpp"

namespace coppice::pruning {
namespace {

using graph::attr;
using graph::Builder;
using graph::DType;
using graph::Shape;
using graph::ValueId;

// x (batch, 2, 3) -> "a" to 8 features -> Reshape to `target` (batch, 16) -> "c" to 5.
Prepared flattened(std::int64_t batch, ValueId (*target)(Builder&, ValueId y)) {
  Builder b("flattened");
  const auto y = linear(b, b.input("x", DType::float32, dims({batch, 2, 3})), "a", 3, 8);
  b.rename(y, "y");
  const auto flat = b.op("Reshape", {y, target(b, y)}, {}, "flat");
  return finish(std::move(b), linear(b, flat, "c", 16, 5), {batch, 5});
}

// Three features go, five are left at each of two places.
void expect_ten_left(const Prepared& prepared, const Ints& target) {
  const Small small(prepared, without(prepared, "a", 1, {0, 3, 4}));
  EXPECT_EQ(small.operand("flat", 1), target);
  const graph::Shape in = small.shape("y"), out = small.shape("flat");
  EXPECT_EQ(in[2], 5);
  EXPECT_EQ(out, (Shape{in[0], 10}));
  EXPECT_EQ(small.shape("c"), (Shape{10, 5}));
}

TEST(CutReshape, ALiteralTarget) {
  expect_ten_left(flattened(1, [](Builder& b, ValueId) { return b.ints({1, 16}); }), {1, 10});
}

TEST(CutReshape, AConstantNode) {
  const Prepared prepared = flattened(1, [](Builder& b, ValueId) {
    return b.op("Constant", {}, {attr("value", graph::AttributeValue(graph::Tensor::ints(Ints{1, 16})))}, "target");
  });
  expect_ten_left(prepared, {1, 10});
  const Small small(prepared, without(prepared, "a", 1, {0}));
  EXPECT_EQ(small.count("Constant"), 1u);  // still one, and no initializer in its place
  EXPECT_EQ(small.model.graph.initializers.size(), 2u);
}

TEST(CutReshape, AConstantNodeThatListsNumbers) {
  expect_ten_left(flattened(1,
                            [](Builder& b, ValueId) {
                              return b.op("Constant", {}, {ints("value_ints", {1, 16})});
                            }),
                  {1, 10});
}

TEST(CutReshape, ZeroCopiesTheBatch) {
  expect_ten_left(flattened(-1, [](Builder& b, ValueId) { return b.ints({0, 16}); }), {0, 10});
}

TEST(CutReshape, MinusOneTakesWhatIsLeft) {
  expect_ten_left(flattened(-1, [](Builder& b, ValueId) { return b.ints({0, -1}); }), {0, -1});
}

TEST(CutReshape, MinusOneStaysTheBatch) {
  expect_ten_left(flattened(-1, [](Builder& b, ValueId) { return b.ints({-1, 16}); }), {-1, 10});
}

ValueId batch_of(Builder& b, ValueId y) {
  return b.op("Gather", {b.op("Shape", {y}), b.ints({0})});
}

TEST(CutReshape, ADynamicBatchBesideALiteral) {
  const Prepared prepared = flattened(-1, [](Builder& b, ValueId y) {
    return b.op("Concat", {batch_of(b, y), b.ints({16})}, {attr("axis", 0)});
  });
  const Small small(prepared, without(prepared, "a", 1, {7}));
  ASSERT_TRUE(prepared.worlds.dynamic);
  const std::int64_t one = small.operand("flat", 1)[0], two = small.operand2("flat", 1)[0];
  EXPECT_NE(one, two);  // the batch is still read from the shape
  EXPECT_EQ(small.operand("flat", 1), (Ints{one, 14}));
  EXPECT_EQ(small.operand2("flat", 1), (Ints{two, 14}));
  EXPECT_EQ(small.shape("flat"), (Shape{one, 14}));
  const auto& declared = small.model.graph.values[static_cast<std::size_t>(small.model.graph.outputs[0])].shape;
  EXPECT_EQ((*declared)[0], (graph::Dim{-1, "batch"}));
}

TEST(CutReshape, ChannelsThatAreComputedFollowByThemselves) {
  const Prepared prepared = flattened(-1, [](Builder& b, ValueId y) {
    const auto features = b.op("Gather", {b.op("Shape", {y}), b.ints({2})}, {}, "features");
    return b.op("Concat", {batch_of(b, y), b.op("Mul", {features, b.ints({2})})}, {attr("axis", 0)});
  });
  const Small small(prepared, without(prepared, "a", 1, {7, 1}));
  EXPECT_EQ(small.shape("flat")[1], 12);
  EXPECT_EQ(small.model.graph.nodes.size(), prepared.model.graph.nodes.size());
  EXPECT_EQ(small.count("Where"), 0u);
}

TEST(CutReshape, ALiteralTargetSharedWithOneThatDoesNotShrinkIsCopied) {
  Builder b("shared");
  const auto x = b.input("x", DType::float32, dims({1, 2, 8}));
  const auto target = b.initializer("target", graph::Tensor::ints(Ints{1, 16}));
  const auto whole = b.op("Reshape", {x, target}, {}, "whole");
  const auto thin = b.op("Reshape", {linear(b, x, "a", 8, 8), target}, {}, "thin");
  const auto sum = b.op("Add", {linear(b, whole, "l", 16, 2), linear(b, thin, "r", 16, 2)});
  const Prepared prepared = finish(std::move(b), sum, {1, 2});
  const Small small(prepared, without(prepared, "a", 1, {0, 1}));
  EXPECT_EQ(small.operand("whole", 1), (Ints{1, 16}));
  EXPECT_EQ(small.operand("thin", 1), (Ints{1, 12}));
  EXPECT_EQ(small.shape("whole"), (Shape{1, 16}));
  EXPECT_EQ(small.shape("thin"), (Shape{1, 12}));
}

TEST(CutReshape, ALiteralTargetOfTwoThatShrinkDifferently) {
  Builder b("shared");
  const auto x = b.input("x", DType::float32, dims({1, 2, 8}));
  const auto target = b.initializer("target", graph::Tensor::ints(Ints{1, 16}));
  const auto one = b.op("Reshape", {linear(b, x, "a", 8, 8), target}, {}, "one");
  const auto two = b.op("Reshape", {linear(b, x, "b", 8, 8), target}, {}, "two");
  const auto sum = b.op("Add", {linear(b, one, "l", 16, 2), linear(b, two, "r", 16, 2)});
  const Prepared prepared = finish(std::move(b), sum, {1, 2});
  auto removed = without(prepared, "a", 1, {0, 1});
  const auto more = without(prepared, "b", 1, {2, 3, 4});
  for (std::size_t u = 0; u < more.size(); ++u) removed[u] |= more[u];
  const Small small(prepared, removed);
  EXPECT_EQ(small.operand("one", 1), (Ints{1, 12}));
  EXPECT_EQ(small.operand("two", 1), (Ints{1, 10}));
}

// x (1, 6, 8) -> "q", "k", "v" to 8 = 2 heads of 4 -> heads, attention -> (1, 6, 8) -> "o".
TEST(CutReshape, HeadsAreTheFactorThatShrinks) {
  Builder b("attention");
  const auto x = b.input("x", DType::float32, dims({1, 6, 8}));
  const auto heads = [&](std::string_view name) {
    const auto split =
        b.op("Reshape", {linear(b, x, name, 8, 8), b.ints({0, 0, 2, 4})}, {}, std::string(name) + "_split");
    return b.op("Transpose", {split}, {ints("perm", {0, 2, 1, 3})});
  };
  const auto q = heads("q"), k = b.op("Transpose", {heads("k")}, {ints("perm", {0, 1, 3, 2})}), v = heads("v");
  const auto scores = b.op("Softmax", {b.op("MatMul", {q, k})}, {attr("axis", -1)});
  const auto mixed = b.op("Transpose", {b.op("MatMul", {scores, v})}, {ints("perm", {0, 2, 1, 3})});
  const auto joined = b.op("Reshape", {mixed, b.ints({0, 0, 8})}, {}, "join");
  const Prepared prepared = finish(std::move(b), linear(b, joined, "o", 8, 8), {1, 6, 8});
  const Small small(prepared, without(prepared, "q", 1, {5}));  // of the second head
  EXPECT_EQ(small.operand("q_split", 1), (Ints{0, 0, 1, 4}));
  EXPECT_EQ(small.operand("v_split", 1), (Ints{0, 0, 1, 4}));
  EXPECT_EQ(small.operand("join", 1), (Ints{0, 0, 4}));
  EXPECT_EQ(small.shape("k"), (Shape{8, 4}));
  EXPECT_EQ(small.shape("o"), (Shape{4, 8}));
}

}  // namespace
}  // namespace coppice::pruning
