// Which functions of one number keep zero, from the standard's formulas.
#include <gtest/gtest.h>

#include "coppice/pruning/cut.hpp"

#include "pruning/small.hpp"

namespace coppice::pruning {
namespace {

using graph::Attribute;
using graph::DType;

// The sum over features, half of which are removed, of a function of each.
bool exact(const std::string& op, std::vector<Attribute> attributes = {}) {
  graph::Builder b("function", 24);
  const auto y = linear(b, b.input("x", DType::float32, dims({4, 3})), "a", 3, 8);
  const auto f = b.op(op, {y}, std::move(attributes), "f");
  const Prepared prepared = finish(std::move(b), b.op("ReduceSum", {f, b.ints({1})}), {4, 1});
  const auto found = inexactness(prepared, without(prepared, "a", 1, {0, 2, 4, 6}));
  for (const Inexact& inexact : found) EXPECT_EQ(inexact.how, coupling::Mixing::sum) << op;
  return found.empty();
}

Attribute number(std::string_view name, float value) {
  return graph::attr(name, value);
}

TEST(ZeroFlowFunctions, ThatKeepZero) {
  for (const char* op :
       {"Identity", "Relu", "LeakyRelu", "Elu",  "Selu", "Celu",     "Gelu",  "Mish",   "HardSwish",       "Swish",
        "Tanh",     "Sqrt", "Abs",       "Neg",  "Sign", "Softsign", "Floor", "Ceil",   "Round",           "Erf",
        "Sin",      "Tan",  "Asin",      "Atan", "Sinh", "Asinh",    "Atanh", "Shrink", "ThresholdedRelu", "Dropout"})
    EXPECT_TRUE(exact(op)) << op;
}

TEST(ZeroFlowFunctions, ThatMoveZero) {
  for (const char* op : {"Sigmoid", "HardSigmoid", "Softplus", "Exp", "Cos", "Acos", "Cosh"})
    EXPECT_FALSE(exact(op)) << op;
}

TEST(ZeroFlowFunctions, ThatHaveNoNumberThere) {
  for (const char* op : {"Log", "Reciprocal", "Acosh"}) EXPECT_FALSE(exact(op)) << op;
}

TEST(ZeroFlowFunctions, WhoseAttributesDecide) {
  EXPECT_TRUE(exact("LeakyRelu", {number("alpha", -3)}));
  EXPECT_TRUE(exact("ThresholdedRelu", {number("alpha", -1)}));  // x itself above the threshold
  EXPECT_TRUE(exact("Shrink", {number("lambd", 0), number("bias", 1)}));
  EXPECT_TRUE(exact("Shrink", {number("lambd", -1), number("bias", 0)}));
  EXPECT_FALSE(exact("Shrink", {number("lambd", -1), number("bias", 1)}));
}

TEST(ZeroFlowFunctions, OfAnotherTypeToo) {
  EXPECT_TRUE(exact("Cast", {graph::attr("to", static_cast<int>(DType::float16))}));
}

}  // namespace
}  // namespace coppice::pruning
