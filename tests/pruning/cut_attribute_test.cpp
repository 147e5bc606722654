// hidden_size of recurrent nodes and num_groups of group normalisation.
#include <gtest/gtest.h>

#include "pruning/small.hpp"

namespace coppice::pruning {
namespace {

using graph::attr;
using graph::Builder;
using graph::DType;
using graph::Shape;

// x (5, 2, 3) -> `op` with `gates` gates and 4 hidden units -> "c" to 2.
Prepared recurrent(std::string_view op, std::int64_t gates, std::int64_t directions) {
  Builder b("recurrent");
  const auto x = b.input("x", DType::float32, dims({5, 2, 3}));
  const std::int64_t rows = gates * 4;
  const auto w = b.initializer("w", filled({directions, rows, 3})),
             r = b.initializer("r", filled({directions, rows, 4}));
  const auto bias = b.initializer("bias", filled({directions, 2 * rows}));
  const auto h = b.initializer("h", filled({directions, 2, 4}, 0));
  const auto y =
      b.op(op, {x, w, r, bias, graph::no_value, h},
           {attr("hidden_size", 4), text("direction", directions == 2 ? "bidirectional" : "forward")}, "cell");
  const auto flat = b.op("Reshape", {b.op("Transpose", {y}, {ints("perm", {0, 2, 1, 3})}), b.ints({0, 0, -1})});
  return finish(std::move(b), linear(b, flat, "c", 4 * directions, 2), {5, 2, 2});
}

void expect_two_left(std::string_view op, std::int64_t gates, std::int64_t directions) {
  SCOPED_TRACE(std::string(op));
  const Prepared prepared = recurrent(op, gates, directions);
  const Small small(prepared, without(prepared, "r", 2, {0, 2}));
  EXPECT_EQ(small.node("cell").int_or("hidden_size", 0), 2);
  EXPECT_EQ(small.shape("w"), (Shape{directions, 2 * gates, 3}));
  EXPECT_EQ(small.shape("r"), (Shape{directions, 2 * gates, 2}));
  EXPECT_EQ(small.shape("bias"), (Shape{directions, 4 * gates}));
  EXPECT_EQ(small.shape("h"), (Shape{directions, 2, 2}));
  EXPECT_EQ(small.shape("cell"), (Shape{5, directions, 2, 2}));
  EXPECT_EQ(small.shape("c"), (Shape{2 * directions, 2}));
}

TEST(CutRecurrent, TheHiddenSizeFollows) {
  expect_two_left("LSTM", 4, 1);
  expect_two_left("LSTM", 4, 2);
  expect_two_left("GRU", 3, 1);
  expect_two_left("RNN", 1, 2);
}

TEST(CutRecurrent, RowsOfAllGatesGo) {
  Builder b("lstm");
  const auto x = b.input("x", DType::float32, dims({5, 2, 3}));
  std::vector<float> rows(16 * 3);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>(i / 3);
  const auto peepholes = b.initializer("p", real({1, 12}, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  const auto y = b.op("LSTM",
                      {x, b.initializer("w", real({1, 16, 3}, rows)), b.initializer("r", filled({1, 16, 4})),
                       graph::no_value, graph::no_value, graph::no_value, graph::no_value, peepholes},
                      {attr("hidden_size", 4)}, "cell");
  const Prepared prepared = finish(std::move(b), linear(b, b.op("Squeeze", {y, b.ints({1})}), "c", 4, 2), {5, 2, 2});
  const Small small(prepared, without(prepared, "r", 2, {1, 3}));
  const graph::Tensor& w = *small.model.graph.constant(small.model.graph.find("w"));
  ASSERT_EQ(w.shape, (Shape{1, 8, 3}));
  Ints left, peeped;
  for (std::int64_t row = 0; row < 8; ++row)
    left.push_back(static_cast<std::int64_t>(tensor::element_as_double(w, 3 * row)));
  EXPECT_EQ(left, (Ints{0, 2, 4, 6, 8, 10, 12, 14}));  // units 0 and 2 of the gates i, o, f and c
  const graph::Tensor& p = *small.model.graph.constant(small.model.graph.find("p"));
  for (std::int64_t i = 0; i < p.elements(); ++i)
    peeped.push_back(static_cast<std::int64_t>(tensor::element_as_double(p, i)));
  EXPECT_EQ(peeped, (Ints{0, 2, 4, 6, 8, 10}));
}

// x (1, 3, 4, 4) -> "a" to 8 channels -> GroupNormalization in 4 groups -> "c".
Prepared group_norm(std::int64_t opset, const PrepareOptions& options = {}) {
  Builder b("groups", opset);
  const auto y = conv(b, b.input("x", DType::float32, dims({1, 3, 4, 4})), "a", 8, 3);
  const std::int64_t each = opset < 21 ? 4 : 8;  // one scale a group, or one a channel
  const auto n =
      b.op("GroupNormalization", {y, b.initializer("gamma", filled({each})), b.initializer("beta", filled({each}))},
           {attr("num_groups", 4)}, "norm");
  return finish(std::move(b), conv(b, n, "c", 2, 8), {1, 2, 4, 4}, options);
}

TEST(CutGroupNormalization, WholeGroupsLowerTheirNumber) {
  for (const std::int64_t opset : {18, 21}) {
    const Prepared prepared = group_norm(opset);
    // Channels 2 and 3 are a group, and one unit.
    ASSERT_EQ(without(prepared, "a", 0, {2}), without(prepared, "a", 0, {2, 3}));
    const Small small(prepared, without(prepared, "a", 0, {2, 6}));
    EXPECT_EQ(small.node("norm").int_or("num_groups", 0), 2);
    EXPECT_EQ(small.shape("gamma"), (Shape{opset < 21 ? 2 : 4}));
    EXPECT_EQ(small.shape("beta"), (Shape{opset < 21 ? 2 : 4}));
    EXPECT_EQ(small.shape("norm"), (Shape{1, 4, 4, 4}));
  }
}

TEST(CutGroupNormalization, GroupsThatLoseTheSameOffsetStay) {
  // The option that has heads lose a part of their width does the same to groups.
  const Prepared prepared = group_norm(21, {.coupling = {.attention = coupling::Attention::head_dim}});
  ASSERT_EQ(without(prepared, "a", 0, {1}), without(prepared, "a", 0, {1, 3, 5, 7}));
  const Small small(prepared, without(prepared, "a", 0, {1}));
  EXPECT_EQ(small.node("norm").int_or("num_groups", 0), 4);
  EXPECT_EQ(small.shape("norm"), (Shape{1, 4, 4, 4}));
  EXPECT_EQ(small.shape("gamma"), (Shape{4}));
}

TEST(CutGroupNormalization, TheLargerOfTwoGroupingsIsTheUnit) {
  Builder b("groups", 21);
  const auto y = conv(b, b.input("x", DType::float32, dims({1, 3, 4, 4})), "a", 8, 3);
  const auto norm = [&](graph::ValueId in, std::int64_t groups, const std::string& name) {
    const auto gamma = b.initializer(name + "_gamma", filled({8})), beta = b.initializer(name + "_beta", filled({8}));
    return b.op("GroupNormalization", {in, gamma, beta}, {attr("num_groups", groups)}, name);
  };
  const auto n = norm(norm(y, 4, "four"), 2, "two");
  const Prepared prepared = finish(std::move(b), conv(b, n, "c", 2, 8), {1, 2, 4, 4});
  ASSERT_EQ(without(prepared, "a", 0, {4}), without(prepared, "a", 0, {4, 5, 6, 7}));
  const Small small(prepared, without(prepared, "a", 0, {4}));
  EXPECT_EQ(small.node("four").int_or("num_groups", 0), 2);
  EXPECT_EQ(small.node("two").int_or("num_groups", 0), 1);
  EXPECT_EQ(small.shape("two"), (Shape{1, 4, 4, 4}));
}

}  // namespace
}  // namespace coppice::pruning
