// `group` follows the channels.
#include <gtest/gtest.h>

#include "pruning/small.hpp"

namespace coppice::pruning {
namespace {

using graph::attr;
using graph::DType;
using graph::Shape;

// x (1, 3, 4, 4) -> stem to 4 channels -> "middle" with weight w and `groups` -> head to 2 channels.
Prepared around(std::string_view op, const Shape& w, std::int64_t groups, std::int64_t channels,
                const PrepareOptions& options = {}) {
  graph::Builder b("around");
  const auto x = b.input("x", DType::float32, dims({1, 3, 4, 4}));
  const auto stem = conv(b, x, "stem", op == "ConvTranspose" ? w[0] : w[1] * groups, 3);
  const auto y = b.op(op, {stem, b.initializer("w", filled(w)), b.initializer("bias", filled({channels}))},
                      {attr("group", groups)}, "middle");
  const std::int64_t side = op == "ConvTranspose" ? 4 + w[2] - 1 : 4 - w[2] + 1;
  return finish(std::move(b), conv(b, y, "head", 2, channels), {1, 2, side, side}, options);
}

TEST(CutConv, GroupsStayWhereEveryGroupLosesTheSameOffset) {
  const Prepared prepared = around("Conv", {8, 2, 3, 3}, 2, 8);
  // Output 1 of 4 in each of the two groups.
  const Small small(prepared, without(prepared, "w", 0, {1}));
  EXPECT_EQ(small.node("middle").int_or("group", 0), 2);
  EXPECT_EQ(small.shape("w"), (Shape{6, 2, 3, 3}));
  EXPECT_EQ(small.shape("bias"), (Shape{6}));
  EXPECT_EQ(small.shape("middle"), (Shape{1, 6, 2, 2}));
  EXPECT_EQ(small.shape("head"), (Shape{2, 6, 1, 1}));
}

TEST(CutConv, GroupsStayWhereTheInputsOfEveryGroupShrink) {
  const Prepared prepared = around("Conv", {8, 2, 3, 3}, 2, 8);
  const Small small(prepared, without(prepared, "w", 1, {0}));
  EXPECT_EQ(small.node("middle").int_or("group", 0), 2);
  EXPECT_EQ(small.shape("w"), (Shape{8, 1, 3, 3}));
  EXPECT_EQ(small.shape("stem"), (Shape{2, 3, 1, 1}));
  EXPECT_EQ(small.shape("middle"), (Shape{1, 8, 2, 2}));
}

TEST(CutConv, WholeGroupsLowerTheirNumber) {
  const Prepared prepared = around("Conv", {8, 2, 3, 3}, 4, 8, {.coupling = {.whole_groups = true}});
  // Output 5 is in group 2 of 0..3; its other output and its two inputs go with it.
  const Small small(prepared, without(prepared, "w", 0, {5}));
  EXPECT_EQ(small.node("middle").int_or("group", 0), 3);
  EXPECT_EQ(small.shape("w"), (Shape{6, 2, 3, 3}));
  EXPECT_EQ(small.shape("stem"), (Shape{6, 3, 1, 1}));
  EXPECT_EQ(small.shape("middle"), (Shape{1, 6, 2, 2}));
}

TEST(CutConv, ADepthwiseOneHasAGroupAChannel) {
  const Prepared prepared = around("Conv", {8, 1, 3, 3}, 4, 8);  // two outputs a channel
  const Small small(prepared, without(prepared, "stem", 0, {0, 3}));
  EXPECT_EQ(small.node("middle").int_or("group", 0), 2);
  EXPECT_EQ(small.shape("w"), (Shape{4, 1, 3, 3}));
  EXPECT_EQ(small.shape("bias"), (Shape{4}));
  EXPECT_EQ(small.shape("middle"), (Shape{1, 4, 2, 2}));
  EXPECT_EQ(small.shape("head"), (Shape{2, 4, 1, 1}));
}

TEST(CutConv, ATransposedDepthwiseOneToo) {
  const Prepared prepared = around("ConvTranspose", {4, 2, 3, 3}, 4, 8);
  const Small small(prepared, without(prepared, "stem", 0, {1}));
  EXPECT_EQ(small.node("middle").int_or("group", 0), 3);
  EXPECT_EQ(small.shape("w"), (Shape{3, 2, 3, 3}));
  EXPECT_EQ(small.shape("bias"), (Shape{6}));
  EXPECT_EQ(small.shape("middle"), (Shape{1, 6, 6, 6}));
}

TEST(CutConv, ATransposedGroupedOneKeepsItsGroups) {
  const Prepared prepared = around("ConvTranspose", {4, 3, 3, 3}, 2, 6);
  const Small outputs(prepared, without(prepared, "w", 1, {2}));
  EXPECT_EQ(outputs.node("middle").int_or("group", 0), 2);
  EXPECT_EQ(outputs.shape("w"), (Shape{4, 2, 3, 3}));
  EXPECT_EQ(outputs.shape("middle"), (Shape{1, 4, 6, 6}));
  const Small inputs(prepared, without(prepared, "w", 0, {0}));  // and input 2, of the same offset
  EXPECT_EQ(inputs.node("middle").int_or("group", 0), 2);
  EXPECT_EQ(inputs.shape("w"), (Shape{2, 3, 3, 3}));
  EXPECT_EQ(inputs.shape("stem"), (Shape{2, 3, 1, 1}));
}

TEST(CutConv, OfWholeNumbersToo) {
  graph::Builder b("integer");
  const auto number = [](DType dtype, Shape shape) {
    const Ints ones(static_cast<std::size_t>(tensor::element_count(shape)), 1);
    return tensor::from_ints(dtype, std::move(shape), ones);
  };
  const auto x = b.input("x", DType::uint8, dims({1, 3, 4, 4}));
  const auto stem = b.op("ConvInteger", {x, b.initializer("stem", number(DType::int8, {4, 3, 1, 1}))});
  const auto bytes = b.op("Cast", {stem}, {attr("to", static_cast<int>(DType::uint8))});
  const auto sums = b.op("ConvInteger", {bytes, b.initializer("w", number(DType::int8, {4, 1, 1, 1}))},
                         {attr("group", 4)}, "integer");
  const auto again = b.op("Cast", {sums}, {attr("to", static_cast<int>(DType::uint8))});
  const auto scale = b.real_scalar(1), zero = b.initializer("zero", number(DType::uint8, {}));
  const auto signed_zero = b.initializer("signed_zero", number(DType::int8, {4}));
  const auto q = b.op("QLinearConv",
                      {again, scale, zero, b.initializer("q", number(DType::int8, {4, 1, 1, 1})),
                       b.initializer("scales", filled({4})), signed_zero, scale, zero},
                      {attr("group", 4)}, "quantised");
  const auto y = b.op("DequantizeLinear", {q, scale, zero});
  const Prepared prepared = finish(std::move(b), conv(b, y, "head", 2, 4), {1, 2, 4, 4});
  const Small small(prepared, without(prepared, "stem", 0, {2}));
  EXPECT_EQ(small.node("integer").int_or("group", 0), 3);
  EXPECT_EQ(small.node("quantised").int_or("group", 0), 3);
  EXPECT_EQ(small.shape("scales"), (Shape{3}));
  EXPECT_EQ(small.shape("signed_zero"), (Shape{3}));
  EXPECT_EQ(small.shape("quantised"), (Shape{1, 3, 4, 4}));
}

TEST(CutConv, OfTheFusedOnesOfOnnxRuntimeToo) {
  graph::Builder b("fused");
  const auto x = b.input("x", DType::float32, dims({1, 3, 4, 4}));
  b.model().opsets.push_back({"com.microsoft", 1});
  const auto stem = conv(b, x, "stem", 4, 3);
  const auto y = b.op("FusedConv", {stem, b.initializer("w", filled({4, 1, 1, 1}))},
                      {attr("group", 4), text("activation", "Relu")}, "fused");
  b.graph().nodes.back().domain = "com.microsoft";
  const Prepared prepared = finish(std::move(b), conv(b, y, "head", 2, 4), {1, 2, 4, 4});
  const Small small(prepared, without(prepared, "w", 0, {0, 1}));
  EXPECT_EQ(small.node("fused").int_or("group", 0), 2);
  EXPECT_EQ(small.shape("fused"), (Shape{1, 2, 4, 4}));
}

}  // namespace
}  // namespace coppice::pruning
