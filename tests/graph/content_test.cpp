// Known elements through one operator.
#include <cmath>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"

#include "content_text.hpp"
#include "one_node.hpp"

namespace coppice::graph {
namespace {

using Ints = std::vector<std::int64_t>;

Tensor whole(DType dtype, Shape shape, Ints values) {
  return tensor::from_ints(dtype, std::move(shape), values);
}
Tensor matrix(std::int64_t rows, std::int64_t columns, Ints values) {
  return whole(DType::int64, {rows, columns}, std::move(values));
}
std::string content(OneNode& node) {
  return content_text(node.infer()[0]);
}
std::string of(std::string_view op, Ints a, Ints b) {
  OneNode n(op);
  n.ints(std::move(a)).ints(std::move(b));
  return content(n);
}
std::string of(std::string_view op, std::vector<float> a) {
  OneNode n(op);
  n.reals(std::move(a));
  return content(n);
}

TEST(Arithmetic, WholeNumbers) {
  EXPECT_EQ(of("Add", {1, 2}, {10}), "11,12");
  EXPECT_EQ(of("Sub", {1, 2}, {10, 20}), "-9,-18");
  EXPECT_EQ(of("Mul", {3, -4}, {5}), "15,-20");
  EXPECT_EQ(of("Min", {3, 9}, {5}), "3,5");
  EXPECT_EQ(of("Max", {3, 9}, {5}), "5,9");
  EXPECT_EQ(of("Sum", {3, 9}, {5}), "8,14");
}

TEST(Arithmetic, DivisionTruncatesTowardsZero) {
  EXPECT_EQ(of("Div", {7, -7, 7, 5}, {2, 2, -2, 0}), "3,-3,-3,?");
  EXPECT_EQ(of("Div", {INT64_MIN}, {-1}), "?");
}

TEST(Arithmetic, ModTakesTheSignOfTheDivisorOrWithFmodOfTheDividend) {
  EXPECT_EQ(of("Mod", {7, -7, 7, -7}, {3, 3, -3, -3}), "1,2,-2,-1");
  OneNode n("Mod");
  n.ints({7, -7, 7, -7}).ints({3, 3, -3, -3}).with("fmod", 1);
  EXPECT_EQ(content(n), "1,-1,1,-1");
}

TEST(Arithmetic, Powers) {
  EXPECT_EQ(of("Pow", {2, 5, 2, 0}, {10, 0, -1, -1}), "1024,1,0,?");
  OneNode n("Pow");
  n.reals({9}).ints({2});
  EXPECT_EQ(content(n), "81.000000");
  OneNode root("Pow");
  root.ints({16}).reals({0.5F});
  EXPECT_EQ(content(root), "4");
}

TEST(Arithmetic, NarrowTypesWrap) {
  OneNode n("Add");
  n.constant(whole(DType::int8, {1}, {127})).constant(whole(DType::int8, {1}, {1}));
  EXPECT_EQ(content(n), "-128");
}

TEST(Arithmetic, BroadcastsMatrices) {
  OneNode n("Add");
  n.constant(matrix(2, 1, {10, 20})).constant(matrix(1, 3, {1, 2, 3}));
  EXPECT_EQ(content(n), "11,12,13,21,22,23");
}

TEST(Unary, RealFunctions) {
  EXPECT_EQ(of("Sqrt", {16}), "4.000000");
  EXPECT_EQ(of("Exp", {0}), "1.000000");
  EXPECT_EQ(of("Log", {1}), "0.000000");
  EXPECT_EQ(of("Reciprocal", {4}), "0.250000");
  EXPECT_EQ(of("Floor", {1.5F, -1.5F}), "1.000000,-2.000000");
  EXPECT_EQ(of("Ceil", {1.5F, -1.5F}), "2.000000,-1.000000");
  EXPECT_EQ(of("Round", {0.5F, 1.5F, 2.5F, -0.6F}), "0.000000,2.000000,2.000000,-1.000000");
  EXPECT_EQ(of("Neg", {2}), "-2.000000");
  EXPECT_EQ(of("Abs", {-2}), "2.000000");
  EXPECT_EQ(of("Sign", {-2, 0, 7}), "-1.000000,0.000000,1.000000");
  EXPECT_EQ(of("Relu", {-2, 7}), "0.000000,7.000000");
  EXPECT_EQ(of("Identity", {3}), "3.000000");
}

TEST(Unary, WholeFunctions) {
  OneNode negated("Neg"), logical("Not"), bits("BitwiseNot");
  EXPECT_EQ(content(negated.ints({3, -4})), "-3,4");
  EXPECT_EQ(content(logical.constant(whole(DType::boolean, {2}, {0, 1}))), "1,0");
  EXPECT_EQ(content(bits.ints({0})), "-1");
}

TEST(Unary, LargeRealTensorsAreNotFollowed) {
  OneNode n("Sqrt");
  EXPECT_EQ(content(n.reals(std::vector<float>(65, 1))), "none");
}

TEST(Cast, BetweenKinds) {
  const auto cast = [](OneNode& n, DType to) { return content(n.with("to", static_cast<int>(to))); };
  OneNode truncating("Cast"), wrapping("Cast"), to_real("Cast"), to_bool("Cast"), too_large("Cast");
  EXPECT_EQ(cast(truncating.reals({2.9F, -2.9F}), DType::int64), "2,-2");
  EXPECT_EQ(cast(wrapping.ints({300}), DType::uint8), "44");
  EXPECT_EQ(cast(to_real.ints({7}), DType::float16), "7.000000");
  EXPECT_EQ(cast(to_bool.reals({0, 0.5F}), DType::boolean), "0,1");
  EXPECT_EQ(cast(too_large.reals({1e20F, NAN, 1}), DType::int32), "?,?,1");
}

TEST(Clip, BoundsAsOperandsAndAsAttributes) {
  OneNode newer("Clip", 13), older("Clip", 7), open("Clip", 13);
  const Tensor low = Tensor::scalar(std::int64_t{0}), high = Tensor::scalar(std::int64_t{5});
  EXPECT_EQ(content(newer.ints({-3, 3, 9}).constant(low).constant(high)), "0,3,5");
  EXPECT_EQ(content(older.reals({-3, 9}).with("min", AttributeValue(-1.0F)).with("max", AttributeValue(2.0F))),
            "-1.000000,2.000000");
  EXPECT_EQ(content(open.ints({-3, 9}).absent().constant(high)), "-3,5");
}

TEST(Logic, Comparisons) {
  EXPECT_EQ(of("Equal", {1, 2}, {2}), "0,1");
  EXPECT_EQ(of("Less", {1, 2}, {2}), "1,0");
  EXPECT_EQ(of("LessOrEqual", {1, 3}, {2}), "1,0");
  EXPECT_EQ(of("Greater", {1, 3}, {2}), "0,1");
  EXPECT_EQ(of("GreaterOrEqual", {2, 1}, {2}), "1,0");
  OneNode real("Greater");
  const Fact fact = real.reals({1.5F}).reals({1}).infer()[0];
  EXPECT_EQ(content_text(fact), "1");
  EXPECT_EQ(fact.dtype, DType::boolean);
}

TEST(Logic, BitsAndBooleans) {
  EXPECT_EQ(of("BitwiseAnd", {6}, {3}), "2");
  EXPECT_EQ(of("BitwiseOr", {6}, {3}), "7");
  EXPECT_EQ(of("BitwiseXor", {6}, {3}), "5");
  const auto pair = [](const char* op) {
    OneNode n(op);
    n.constant(whole(DType::boolean, {4}, {0, 0, 1, 1})).constant(whole(DType::boolean, {4}, {0, 1, 0, 1}));
    return content(n);
  };
  EXPECT_EQ(pair("And"), "0,0,0,1");
  EXPECT_EQ(pair("Or"), "0,1,1,1");
  EXPECT_EQ(pair("Xor"), "0,1,1,0");
  OneNode left("BitShift"), right("BitShift");
  EXPECT_EQ(content(left.ints({3}).ints({2}).with("direction", "LEFT")), "12");
  EXPECT_EQ(content(right.ints({12}).ints({2}).with("direction", "RIGHT")), "3");
}

TEST(Where, ChoosesPerElement) {
  OneNode n("Where");
  n.constant(whole(DType::boolean, {3}, {1, 0, 1})).ints({1, 2, 3}).ints({9});
  EXPECT_EQ(content(n), "1,9,3");
}

TEST(Shape, StartAndEnd) {
  OneNode all("Shape"), part("Shape"), last("Shape"), none("Shape"), scalar("Shape");
  EXPECT_EQ(content(all.in({2, 3, 4})), "2,3,4");
  EXPECT_EQ(content(part.in({2, 3, 4}).with("start", 1).with("end", -1)), "3");
  EXPECT_EQ(content(last.in({2, 3, 4}).with("start", -1)), "4");
  EXPECT_EQ(none.in({2, 3, 4}).with("start", 2).with("end", 1).shape(), Shape{0});
  EXPECT_EQ(scalar.in({}).shape(), Shape{0});
}

TEST(Size, CountsElements) {
  OneNode known("Size"), unknown("Size");
  EXPECT_EQ(content(known.in({2, 3, 4})), "24");
  EXPECT_EQ(content(unknown.in({2, -1})), "?");
}

TEST(Range, WholeAndReal) {
  const auto range = [](std::int64_t a, std::int64_t b, std::int64_t d) {
    OneNode n("Range");
    n.constant(Tensor::scalar(a)).constant(Tensor::scalar(b)).constant(Tensor::scalar(d));
    return content(n);
  };
  EXPECT_EQ(range(1, 8, 3), "1,4,7");
  EXPECT_EQ(range(5, 0, -2), "5,3,1");
  EXPECT_EQ(range(5, 0, 1), "");
  EXPECT_THROW(range(0, 5, 0), Error);
  OneNode real("Range");
  real.constant(Tensor::scalar(0.0F)).constant(Tensor::scalar(1.0F)).constant(Tensor::scalar(0.25F));
  EXPECT_EQ(content(real), "0.000000,0.250000,0.500000,0.750000");
}

TEST(ConstantOfShape, FillsOrLeavesOpen) {
  OneNode filled("ConstantOfShape"), zeros("ConstantOfShape"), open("ConstantOfShape"), negative("ConstantOfShape");
  EXPECT_EQ(content(filled.ints({3}).with("value", AttributeValue(Tensor::ints(Ints{7})))), "7,7,7");
  EXPECT_EQ(content(zeros.ints({2})), "0.000000,0.000000");
  EXPECT_EQ(open.in({2}, DType::int64).shape(), (Shape{-1, -1}));
  EXPECT_THROW(negative.ints({-2}).shape(), Error);
}

TEST(EyeLike, Diagonals) {
  OneNode n("EyeLike");
  EXPECT_EQ(content(n.in({2, 3}).with("k", 1).with("dtype", 7)), "0,1,0,0,0,1");
}

TEST(CumSum, DirectionsAndExclusion) {
  const auto sums = [](int exclusive, int reverse) {
    OneNode n("CumSum");
    n.ints({1, 2, 3}).constant(Tensor::scalar(std::int64_t{0})).with("exclusive", exclusive).with("reverse", reverse);
    return content(n);
  };
  EXPECT_EQ(sums(0, 0), "1,3,6");
  EXPECT_EQ(sums(1, 0), "0,1,3");
  EXPECT_EQ(sums(0, 1), "6,5,3");
  EXPECT_EQ(sums(1, 1), "5,3,0");
  OneNode columns("CumSum");
  columns.constant(matrix(2, 2, {1, 2, 3, 4})).constant(Tensor::scalar(std::int64_t{-2}));
  EXPECT_EQ(content(columns), "1,2,4,6");
}

TEST(Trilu, Triangles) {
  OneNode upper("Trilu"), lower("Trilu");
  EXPECT_EQ(content(upper.constant(matrix(2, 2, {1, 2, 3, 4}))), "1,2,0,4");
  EXPECT_EQ(
      content(lower.constant(matrix(2, 2, {1, 2, 3, 4})).constant(Tensor::scalar(std::int64_t{-1})).with("upper", 0)),
      "0,0,3,0");
}

}  // namespace
}  // namespace coppice::graph
