// Attention as one operator: numbers of heads follow the cut, the scale does not.
#include <gtest/gtest.h>

#include "pruning/small.hpp"

namespace coppice::pruning {
namespace {

using graph::attr;
using graph::Attribute;
using graph::Builder;
using graph::DType;
using graph::Shape;
using graph::ValueId;

constexpr PrepareOptions parts_of_heads{.coupling = {.attention = coupling::Attention::head_dim}};

Prepared contrib(Builder b, ValueId y, std::int64_t width, const PrepareOptions& options = {}) {
  b.graph().nodes.back().domain = "com.microsoft";
  b.model().opsets.push_back({"com.microsoft", 1});
  return finish(std::move(b), linear(b, y, "o", width, 5), {2, 6, 5}, options);
}

// Four query heads of 2 over `shared` key heads of 2 and value heads of 3.
Prepared standard(std::int64_t shared, const PrepareOptions& options = {}) {
  Builder b("attention", 23);
  const auto x = b.input("x", DType::float32, dims({2, 6, 7}));
  const auto q = linear(b, x, "q", 7, 8), k = linear(b, x, "k", 7, 2 * shared), v = linear(b, x, "v", 7, 3 * shared);
  const auto y = b.op("Attention", {q, k, v}, {attr("q_num_heads", 4), attr("kv_num_heads", shared)}, "attention");
  return finish(std::move(b), linear(b, y, "o", 12, 5), {2, 6, 5}, options);
}

TEST(CutAttention, HeadsThatShareAKeyGoTogether) {
  const Prepared prepared = standard(2);
  const Small small(prepared, without(prepared, "q", 1, {1}));  // of the first pair of heads
  EXPECT_EQ(small.node("attention").int_or("q_num_heads", 0), 2);
  EXPECT_EQ(small.node("attention").int_or("kv_num_heads", 0), 1);
  EXPECT_FALSE(small.node("attention").has("scale"));
  EXPECT_EQ(small.shape("q"), (Shape{7, 4}));
  EXPECT_EQ(small.shape("k"), (Shape{7, 2}));
  EXPECT_EQ(small.shape("v"), (Shape{7, 3}));
  EXPECT_EQ(small.shape("attention"), (Shape{2, 6, 6}));
  EXPECT_EQ(small.shape("o"), (Shape{6, 5}));
}

TEST(CutAttention, OfOneKeyForAllTheQueryHeadsGo) {
  const Prepared prepared = standard(1);
  const Small small(prepared, without(prepared, "q", 1, {7}));
  EXPECT_EQ(small.node("attention").int_or("q_num_heads", 0), 3);
  EXPECT_EQ(small.node("attention").int_or("kv_num_heads", 0), 1);
  EXPECT_EQ(small.shape("k"), (Shape{7, 2}));
  EXPECT_EQ(small.shape("attention"), (Shape{2, 6, 9}));
}

TEST(CutAttention, SmallerHeadsKeepTheirScale) {
  const Prepared prepared = standard(4, parts_of_heads);
  const Small small(prepared, without(prepared, "q", 1, {0}));
  EXPECT_EQ(small.node("attention").int_or("q_num_heads", 0), 4);
  EXPECT_FLOAT_EQ(small.node("attention").float_or("scale", 0), 0.70710678f);  // one over the root of 2
  EXPECT_EQ(small.shape("q"), (Shape{7, 4}));
  EXPECT_EQ(small.shape("k"), (Shape{7, 4}));
  EXPECT_EQ(small.shape("v"), (Shape{7, 12}));
}

TEST(CutAttention, OfRankFourHasNoNumberOfHeads) {
  Builder b("attention", 23);
  const auto x = b.input("x", DType::float32, dims({2, 6, 7}));
  const auto heads = [&](std::string_view name) {
    const auto split = b.op("Reshape", {linear(b, x, name, 7, 8), b.ints({0, 0, 4, 2})}, {}, std::string(name) + "4");
    return b.op("Transpose", {split}, {ints("perm", {0, 2, 1, 3})});
  };
  const auto q = heads("q"), k = heads("k"), v = heads("v");
  const auto y = b.op("Transpose", {b.op("Attention", {q, k, v}, {}, "attention")}, {ints("perm", {0, 2, 1, 3})});
  const auto flat = b.op("Reshape", {y, b.ints({0, 0, 8})}, {}, "flat");
  const Prepared prepared = finish(std::move(b), linear(b, flat, "o", 8, 5), {2, 6, 5});
  const Small small(prepared, without(prepared, "v", 1, {2, 7}));
  EXPECT_FALSE(small.node("attention").has("q_num_heads"));
  EXPECT_EQ(small.operand("k4", 1), (Ints{0, 0, 2, 2}));
  EXPECT_EQ(small.operand("flat", 1), (Ints{0, 0, 4}));
  EXPECT_EQ(small.shape("attention"), (Shape{2, 2, 6, 2}));
}

TEST(CutAttention, RotaryEmbeddingsCountTheirHeads) {
  Builder b("rotary", 23);
  const auto x = b.input("x", DType::float32, dims({2, 6, 7}));
  const auto cosines = b.initializer("cosines", filled({2, 6, 1})), sines = b.initializer("sines", filled({2, 6, 1}));
  const auto turned = [&](std::string_view name) {
    const auto y = linear(b, x, name, 7, 8);
    return b.op("RotaryEmbedding", {y, cosines, sines}, {attr("num_heads", 4)}, std::string(name) + "_turned");
  };
  const auto q = turned("q"), k = turned("k"), v = linear(b, x, "v", 7, 8);
  const auto y = b.op("Attention", {q, k, v}, {attr("q_num_heads", 4), attr("kv_num_heads", 4)}, "attention");
  const Prepared prepared = finish(std::move(b), linear(b, y, "o", 8, 5), {2, 6, 5});
  const Small small(prepared, without(prepared, "v", 1, {2}));
  for (const char* name : {"q_turned", "k_turned"}) {
    EXPECT_EQ(small.node(name).int_or("num_heads", 0), 3);
    EXPECT_EQ(small.shape(name), (Shape{2, 6, 6}));
  }
  EXPECT_EQ(small.node("attention").int_or("kv_num_heads", 0), 3);
}

// One matrix with 4 heads of 2, 2 and `value` columns.
Prepared projected(std::int64_t value, std::vector<Attribute> attributes, const PrepareOptions& options = {}) {
  Builder b("projected");
  const auto y = linear(b, b.input("x", DType::float32, dims({2, 6, 7})), "a", 7, 3);
  const std::int64_t columns = 8 + 8 + 4 * value;
  attributes.push_back(attr("num_heads", 4));
  const auto out =
      b.op("Attention", {y, b.initializer("w", filled({3, columns})), b.initializer("c", filled({columns}))},
           std::move(attributes), "attention");
  return contrib(std::move(b), out, 4 * value, options);
}

TEST(CutAttention, OneProjectionLosesTheHeadInAllThreeParts) {
  const Prepared prepared = projected(2, {});
  ASSERT_EQ(without(prepared, "w", 1, {0}), without(prepared, "w", 1, {0, 1, 8, 9, 16, 17}));
  const Small small(prepared, without(prepared, "w", 1, {0}));
  EXPECT_EQ(small.node("attention").int_or("num_heads", 0), 3);
  EXPECT_FALSE(small.node("attention").has("qkv_hidden_sizes"));
  EXPECT_EQ(small.shape("w"), (Shape{3, 18}));
  EXPECT_EQ(small.shape("c"), (Shape{18}));
  EXPECT_EQ(small.shape("attention"), (Shape{2, 6, 6}));
}

TEST(CutAttention, OneProjectionWithSizesSaysTheNewOnes) {
  const Prepared prepared = projected(3, {ints("qkv_hidden_sizes", {8, 8, 12})});
  const Small small(prepared, without(prepared, "w", 1, {0, 4}));
  EXPECT_EQ(small.node("attention").int_or("num_heads", 0), 2);
  EXPECT_EQ(small.attribute("attention", "qkv_hidden_sizes"), (Ints{4, 4, 6}));
  EXPECT_EQ(small.shape("attention"), (Shape{2, 6, 6}));
}

TEST(CutAttention, OneProjectionWhosePartsBecomeUnequalSaysTheirSizes) {
  const Prepared prepared = projected(2, {}, parts_of_heads);
  const Small small(prepared, without(prepared, "w", 1, {16}));  // the first of two columns of every value head
  EXPECT_EQ(small.node("attention").int_or("num_heads", 0), 4);
  EXPECT_EQ(small.attribute("attention", "qkv_hidden_sizes"), (Ints{8, 8, 4}));
  EXPECT_FALSE(small.node("attention").has("scale"));
  EXPECT_EQ(small.shape("w"), (Shape{3, 20}));
  EXPECT_EQ(small.shape("attention"), (Shape{2, 6, 4}));
}

TEST(CutAttention, MultiHeadAndItsBias) {
  Builder b("multi");
  const auto x = b.input("x", DType::float32, dims({2, 6, 7}));
  const auto q = linear(b, x, "q", 7, 8), k = linear(b, x, "k", 7, 8), v = linear(b, x, "v", 7, 12);
  const auto y =
      b.op("MultiHeadAttention", {q, k, v, b.initializer("c", filled({28}))}, {attr("num_heads", 4)}, "attention");
  const Prepared prepared = contrib(std::move(b), y, 12);
  const Small small(prepared, without(prepared, "v", 1, {11}));
  EXPECT_EQ(small.node("attention").int_or("num_heads", 0), 3);
  EXPECT_EQ(small.shape("c"), (Shape{21}));
  EXPECT_EQ(small.shape("attention"), (Shape{2, 6, 9}));
}

TEST(CutAttention, GroupedQueryCountsBothKindsOfHeads) {
  Builder b("grouped");
  const auto x = b.input("x", DType::float32, dims({2, 6, 7}));
  const auto q = linear(b, x, "q", 7, 16), k = linear(b, x, "k", 7, 8), v = linear(b, x, "v", 7, 8);
  const auto last = b.initializer("last", tensor::from_ints(DType::int32, {2}, Ints{5, 5}));
  const auto steps = b.initializer("steps", tensor::from_ints(DType::int32, {}, Ints{6}));
  const auto y = b.op("GroupQueryAttention", {q, k, v, graph::no_value, graph::no_value, last, steps},
                      {attr("num_heads", 4), attr("kv_num_heads", 2)}, "attention");
  const Prepared prepared = contrib(std::move(b), y, 16);
  const Small small(prepared, without(prepared, "k", 1, {0}));
  EXPECT_EQ(small.node("attention").int_or("num_heads", 0), 2);
  EXPECT_EQ(small.node("attention").int_or("kv_num_heads", 0), 1);
  EXPECT_EQ(small.shape("q"), (Shape{7, 8}));
  EXPECT_EQ(small.shape("attention"), (Shape{2, 6, 8}));
}

}  // namespace
}  // namespace coppice::pruning
