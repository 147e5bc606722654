// Where the shape arithmetic cannot follow a cut, the step locks what cannot go and chooses anew.
#include <gtest/gtest.h>

#include "coppice/graph/builder.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/pruner.hpp"

namespace coppice {
namespace {

using graph::attr;
using graph::Builder;
using graph::ValueId;

// Column k of [in, out] is filled with first + k * step.
ValueId linear(Builder& b, ValueId x, std::string_view name, std::int64_t in, std::int64_t out, double first,
               double step) {
  std::vector<double> values;
  for (std::int64_t i = 0; i < in * out; ++i) values.push_back(first + static_cast<double>(i % out) * step);
  return b.op("MatMul", {x, b.initializer(name, tensor::from_doubles(tensor::DType::float32, {in, out}, values))});
}

// (batch, 2, width) to (width * batch, 2) by a target that is no product of anything, so that the outputs of "a" have
// to stay; those of "c" may go.
graph::Model model_with_a_maximum(double scale, std::int64_t width = 8) {
  Builder b("maximum");
  const auto extents = [](std::vector<graph::Dim> rest) {
    rest.insert(rest.begin(), graph::Dim{-1, "batch"});
    return rest;
  };
  const ValueId x = b.input("x", tensor::DType::float32, extents({{2, {}}, {3, {}}}));
  const ValueId y = linear(b, x, "a", 3, width, scale, scale);
  const ValueId turned = b.op("Transpose", {y}, {attr("perm", std::vector<std::int64_t>{0, 2, 1})});
  const ValueId batch = b.op("Gather", {b.op("Shape", {y}), b.ints({0})});
  const ValueId rows = b.op("Max", {b.op("Mul", {batch, b.ints({width})}), batch});
  const ValueId target = b.op("Concat", {rows, b.ints({2})}, {attr("axis", 0)});
  const ValueId back =
      b.op("Reshape", {b.op("Reshape", {turned, target}, {}, "flat"), b.ints({-1, 2 * width})}, {}, "back");
  const ValueId h = b.op("Relu", {linear(b, back, "c", 2 * width, 10, 0.1, 0.1)});
  b.output(linear(b, h, "d", 10, 4, 1, 0), tensor::DType::float32, extents({{4, {}}}));
  return std::move(b).finish();
}

TEST(PrunerRetry, TheFirstStepGoesOnWithWhatIsLeft) {
  GraphModule module(model_with_a_maximum(1));
  Pruner pruner(module, {.pruning_ratio = 50, .example_inputs = {at::randn({2, 2, 3})}, .iterative_steps = 2});
  const PruneStep first = pruner.prune_model();
  EXPECT_EQ(first.step, 1);
  ASSERT_FALSE(first.warnings.empty());
  EXPECT_NE(first.warnings[0].find("units stay: Reshape \"flat\""), std::string::npos) << first.warnings[0];
  EXPECT_EQ(module.constants().at("a").sizes(), (std::vector<std::int64_t>{3, 8}));
  EXPECT_EQ(module.constants().at("c").sizes(), (std::vector<std::int64_t>{16, 7}));  // int(10 * 0.75)
  const PruneStep second = pruner.prune_model();
  EXPECT_EQ(second.step, 2);
  EXPECT_TRUE(pruner.done());
  EXPECT_EQ(module.constants().at("c").sizes(), (std::vector<std::int64_t>{16, 5}));
}

// All 18 units in one contest: the first step takes seven, the smallest, which are in "c"; the second wants seven more,
// two in "c", which keeps one, and five in "a", which may not go.
TEST(PrunerRetry, ALaterStepIsTakenBackOnce) {
  GraphModule module(model_with_a_maximum(100));
  Pruner pruner(module, {.pruning_ratio = 80,
                         .context = Context::global,
                         .example_inputs = {at::randn({2, 2, 3})},
                         .iterative_steps = 2,
                         .normalizer = Normalizer::none});
  EXPECT_TRUE(pruner.prune_model().warnings.empty());
  EXPECT_EQ(module.constants().at("c").size(1), 3);
  const PruneStep second = pruner.prune_model();
  EXPECT_FALSE(second.warnings.empty());
  EXPECT_EQ(second.step, 2);
  EXPECT_TRUE(pruner.done());
  EXPECT_EQ(module.constants().at("a").size(1), 8);
  EXPECT_EQ(module.constants().at("c").size(1), 1);
}

// Unit by unit, 64 of them would be refused more often than a choice may be.
TEST(PrunerRetry, AWideGroupStaysWhole) {
  GraphModule module(model_with_a_maximum(1, 64));
  Pruner pruner(module, {.pruning_ratio = 10, .example_inputs = {at::randn({2, 2, 3})}});
  EXPECT_EQ(pruner.prune_model().warnings.size(), 4U);
  EXPECT_EQ(module.constants().at("a").size(1), 64);
  EXPECT_EQ(module.constants().at("c").size(1), 9);
}

}  // namespace
}  // namespace coppice
