#include <gtest/gtest.h>

#include "coppice/base/error.hpp"

#include "one_node.hpp"

namespace coppice::graph {
namespace {

TEST(MatMul, NumpyRules) {
  const auto shape = [](Shape a, Shape b) { return OneNode("MatMul").in(std::move(a)).in(std::move(b)).shape(); };
  EXPECT_EQ(shape({2, 3}, {3, 4}), (Shape{2, 4}));
  EXPECT_EQ(shape({3}, {3, 4}), (Shape{4}));
  EXPECT_EQ(shape({2, 3}, {3}), (Shape{2}));
  EXPECT_EQ(shape({3}, {3}), (Shape{}));
  EXPECT_EQ(shape({5, 1, 2, 3}, {7, 3, 4}), (Shape{5, 7, 2, 4}));
  EXPECT_EQ(shape({5, 2, 3}, {3}), (Shape{5, 2}));
  EXPECT_EQ(shape({-1, 2, 3}, {3, -1}), (Shape{-1, 2, -1}));
}

TEST(MatMul, ContradictionsAreRefused) {
  EXPECT_THROW(OneNode("MatMul").in({2, 3}).in({4, 5}).shape(), Error);
  EXPECT_THROW(OneNode("MatMul").in({2, 2, 3}).in({3, 3, 5}).shape(), Error);
  EXPECT_THROW(OneNode("MatMul").in({}).in({3}).shape(), Error);
  EXPECT_THROW(OneNode("MatMul").in({2, 3}).shape(), Error);
}

TEST(MatMul, Macs) {
  EXPECT_EQ(OneNode("MatMul").in({5, 2, 3}).in({3, 4}).macs(), 5 * 2 * 3 * 4);
  EXPECT_EQ(OneNode("MatMul").in({3}).in({3}).macs(), 3);
  EXPECT_EQ(OneNode("MatMul").in({-1, 3}).in({3, 4}).macs(), 0);
  EXPECT_EQ(OneNode("MatMulInteger", 10).in({2, 3}, DType::uint8).in({3, 4}, DType::int8).macs(), 24);
}

TEST(MatMul, QuantisedTypes) {
  OneNode q("QLinearMatMul", 10);
  q.in({2, 3}, DType::uint8).in({}).in({}, DType::uint8).in({3, 4}, DType::uint8).in({}).in({}, DType::uint8);
  const Fact out = q.in({}).in({}, DType::uint8).infer()[0];
  EXPECT_EQ(out.dtype, DType::uint8);
  EXPECT_EQ(out.shape, (Shape{2, 4}));
}

TEST(Gemm, TransposedOperands) {
  EXPECT_EQ(OneNode("Gemm").in({3, 2}).in({4, 3}).in({4}).with("transA", 1).with("transB", 1).shape(), (Shape{2, 4}));
  EXPECT_EQ(OneNode("Gemm").in({3, 2}).in({4, 3}).with("transA", 1).with("transB", 1).macs(), 24);
  EXPECT_EQ(OneNode("Gemm").in({1, 512}).in({1000, 512}).in({1000}).with("transB", 1).macs(), 512000);
}

TEST(Gemm, ContradictionsAreRefused) {
  EXPECT_THROW(OneNode("Gemm").in({2, 3}).in({4, 5}).shape(), Error);
  EXPECT_THROW(OneNode("Gemm").in({2, 2, 3}).in({3, 5}).shape(), Error);
  EXPECT_THROW(OneNode("Gemm").in({2, 3}).in({3, 5}).in({4}).shape(), Error);
  EXPECT_THROW(OneNode("Gemm").in({1, 3}).in({3, 5}).in({2, 5}).shape(), Error);  // C must not widen the result
  EXPECT_EQ(OneNode("Gemm").in({2, 3}).in({3, 5}).in({2, 1}).shape(), (Shape{2, 5}));
}

TEST(FusedMatMul, TransposesAndMovesBatches) {
  OneNode n("FusedMatMul", 17, "com.microsoft");
  EXPECT_EQ(n.in({5, 3, 2}).in({5, 4, 3}).with("transA", 1).with("transB", 1).shape(), (Shape{5, 2, 4}));
  OneNode moved("FusedMatMul", 17, "com.microsoft");
  moved.in({2, 5, 3}).in({5, 3, 4}).with("transBatchA", 1);  // (2, 5, 3) is read as (5, 2, 3)
  EXPECT_EQ(moved.shape(), (Shape{5, 2, 4}));
}

Shape einsum(const char* equation, std::vector<Shape> operands) {
  OneNode n("Einsum");
  for (Shape& operand : operands) n.in(std::move(operand));
  return n.with("equation", equation).shape();
}

TEST(Einsum, Results) {
  EXPECT_EQ(einsum("bij, bjk -> bik", {{2, 3, 4}, {2, 4, 5}}), (Shape{2, 3, 5}));
  EXPECT_EQ(einsum("ij->ji", {{3, 4}}), (Shape{4, 3}));
  EXPECT_EQ(einsum("ii->i", {{3, 3}}), (Shape{3}));
  EXPECT_EQ(einsum("ij->", {{3, 4}}), (Shape{}));
  EXPECT_EQ(einsum("...ij,...jk->...ik", {{6, 1, 3, 4}, {7, 4, 5}}), (Shape{6, 7, 3, 5}));
  EXPECT_EQ(einsum("i...j,jk->k...i", {{3, 8, 9, 4}, {4, 5}}), (Shape{5, 8, 9, 3}));
}

TEST(Einsum, ImplicitResultIsAlphabetical) {
  EXPECT_EQ(einsum("ba", {{3, 4}}), (Shape{4, 3}));
  EXPECT_EQ(einsum("ij,jk", {{3, 4}, {4, 5}}), (Shape{3, 5}));
  EXPECT_EQ(einsum("...ij,...jk", {{2, 3, 4}, {2, 4, 5}}), (Shape{2, 3, 5}));
  EXPECT_EQ(einsum("ii", {{3, 3}}), (Shape{}));
}

TEST(Einsum, ContradictionsAreRefused) {
  EXPECT_THROW(einsum("ij,jk->ik", {{3, 4}, {5, 6}}), Error);
  EXPECT_THROW(einsum("ij,jk->ik", {{3, 4}}), Error);
  EXPECT_THROW(einsum("ij->ik", {{3, 4}}), Error);
  EXPECT_THROW(einsum("ij->ii", {{3, 4}}), Error);
  EXPECT_THROW(einsum("ijk->i", {{3, 4}}), Error);
  EXPECT_THROW(einsum("i$->i", {{3, 4}}), Error);
  EXPECT_THROW(einsum("......->", {{3, 4}}), Error);
}

TEST(Einsum, MacsAreTheExtentsOfAllLetters) {
  const auto macs = [](const char* equation, std::vector<Shape> operands) {
    OneNode n("Einsum");
    for (Shape& operand : operands) n.in(std::move(operand));
    return n.with("equation", equation).macs();
  };
  EXPECT_EQ(macs("bhqd,bhkd->bhqk", {{2, 3, 5, 7}, {2, 3, 11, 7}}), 2 * 3 * 5 * 7 * 11);
  EXPECT_EQ(macs("...ij,jk->...ik", {{2, 6, 3, 4}, {4, 5}}), 2 * 6 * 3 * 4 * 5);
  EXPECT_EQ(macs("ij->ji", {{3, 4}}), 0);
}

}  // namespace
}  // namespace coppice::graph
