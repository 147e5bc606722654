#include "pruning/lone_units.hpp"

#include <gtest/gtest.h>

#include "coppice/pruning/prune.hpp"

#include "pruning/small.hpp"

namespace coppice::pruning {
namespace {

using graph::Builder;
using graph::ValueId;

using Norm = ValueId (*)(Builder& b, ValueId x, const std::string& name);

ValueId layer_norm(Builder& b, ValueId x, const std::string& name) {
  return b.op("LayerNormalization", {x, b.initializer(name + ".scale", filled({4}))}, {graph::attr("axis", -1)}, name);
}

ValueId skip_layer_norm(Builder& b, ValueId x, const std::string& name) {
  const ValueId y = b.op("SkipLayerNormalization", {x, x, b.initializer(name + ".scale", filled({4}))}, {}, name);
  b.graph().nodes.back().domain = "com.microsoft";
  return y;
}

ValueId root_mean_square(Builder& b, ValueId x, const std::string& name) {
  return b.op("SimplifiedLayerNormalization", {x, b.initializer(name + ".scale", filled({4}))}, {}, name);
}

ValueId written_out(Builder& b, ValueId x, const std::string& name) {
  const ValueId mean = b.op("ReduceMean", {x}, {ints("axes", {-1})}, name);
  const ValueId rest = b.op("Sub", {x, mean});
  const ValueId variance = b.op("ReduceMean", {b.op("Mul", {rest, rest})}, {ints("axes", {-1})});
  return b.op("Div", {rest, b.op("Sqrt", {b.op("Add", {variance, b.real_scalar(1e-5f)})})});
}

// A mean over the units that nothing subtracts.
ValueId mean_only(Builder& b, ValueId x, const std::string& name) {
  return b.op("Mul", {x, b.op("ReduceMean", {x}, {ints("axes", {-1})}, name)});
}

// 3 numbers -> 4 units, normalised -> 2 numbers. Tokens stand on an axis of their own.
Prepared between(Norm norm) {
  Builder b("normalised");
  const ValueId x = b.input("x", graph::DType::float32, dims({1, 5, 3}));
  return finish(std::move(b), linear(b, norm(b, linear(b, x, "a", 3, 4), "ln"), "b", 4, 2), {1, 5, 2});
}

std::string warning(Norm norm, const Ints& gone) {
  const Prepared prepared = between(norm);
  return lone_units(prepared, without(prepared, "a", 1, gone));
}

TEST(LoneUnits, OneUnitUnderANormalisationIsToldOf) {
  const std::string rest = " is left with one unit: its output no longer depends on its input";
  EXPECT_EQ(warning(layer_norm, {0, 1, 3}), "LayerNormalization \"ln\"" + rest);
  EXPECT_EQ(warning(skip_layer_norm, {1, 2, 3}), "com.microsoft.SkipLayerNormalization \"ln\"" + rest);
  EXPECT_EQ(warning(written_out, {0, 1, 2}), "ReduceMean \"ln\"" + rest);
}

TEST(LoneUnits, TwoUnitsAreEnough) {
  for (Norm norm : {layer_norm, skip_layer_norm, written_out}) EXPECT_EQ(warning(norm, {0, 3}), "");
}

TEST(LoneUnits, WithoutASubtractedMeanOneUnitIsEnough) {
  for (Norm norm : {root_mean_square, mean_only}) EXPECT_EQ(warning(norm, {0, 1, 3}), "");
}

TEST(LoneUnits, AllAxesThatAreNormalisedTogetherCount) {
  const Norm over_tokens = [](Builder& b, ValueId x, const std::string& name) {
    return b.op("LayerNormalization", {x, b.initializer(name + ".scale", filled({5, 4}))}, {graph::attr("axis", 1)},
                name);
  };
  EXPECT_EQ(warning(over_tokens, {0, 1, 3}), "");  // five numbers are left
}

TEST(LoneUnits, SeveralMakeOneLine) {
  const Norm three = [](Builder& b, ValueId x, const std::string& name) {
    for (const char* number : {"1", "2", "3"}) x = layer_norm(b, x, name + number);
    return x;
  };
  EXPECT_EQ(warning(three, {0, 1, 2}),
            "LayerNormalization \"ln1\" is left with one unit: its output no longer depends on its input, and so for 2 "
            "more");
}

TEST(LoneUnits, OneThatAlwaysHadOneUnitIsNotTheCutsWork) {
  Builder b("narrow");
  const ValueId x = b.input("x", graph::DType::float32, dims({1, 3}));
  const ValueId y = b.op("LayerNormalization", {linear(b, x, "a", 3, 1), b.initializer("scale", filled({1}))});
  const Prepared prepared = finish(std::move(b), linear(b, linear(b, y, "b", 1, 4), "c", 4, 2), {1, 2});
  EXPECT_EQ(lone_units(prepared, without(prepared, "c", 0, {0})), "");
}

TEST(LoneUnits, PruneWarns) {
  graph::Model model = between(layer_norm).model;
  PruneOptions options;
  options.select.ratio = 0.75;
  const auto warnings = prune(model, options).report.warnings;
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find("LayerNormalization \"ln\" is left with one unit"), std::string::npos) << warnings[0];
  options.select.ratio = 0.5;
  EXPECT_TRUE(prune(model, options).report.warnings.empty());
}

}  // namespace
}  // namespace coppice::pruning
