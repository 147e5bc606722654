#include <gtest/gtest.h>

#include "one_node.hpp"

/// Operators that draw numbers.
namespace coppice {
namespace {
using namespace one_node;

TEST(RandomKernels, DropoutDropsOnlyWhileTheModuleTrains) {
  at::manual_seed(3);
  const at::Tensor x = at::rand({1000}) + 1, ratio = at::scalar_tensor(0.25);
  for (const bool from_operand : {false, true}) {
    const Spec spec = from_operand ? Spec{"Dropout", {}, 13, 2} : Spec{"Dropout", {real("ratio", 0.25F)}, 10, 2};
    std::vector<at::Tensor> inputs{x};
    if (from_operand) inputs.push_back(ratio);
    GraphModule module = make(spec, inputs);
    std::vector<at::Tensor> out = module.run(inputs);
    EXPECT_TRUE(at::equal(out.at(0), x));
    EXPECT_TRUE(out.at(1).all().item<bool>());
    module.train();
    out = module.run(inputs);
    EXPECT_EQ(out.at(1).scalar_type(), at::kBool);
    EXPECT_TRUE(at::allclose(out.at(0), x * out.at(1) / 0.75));
    const auto kept = out.at(1).sum().item<std::int64_t>();
    EXPECT_GT(kept, 690);  // 750 and more than four standard deviations
    EXPECT_LT(kept, 810);
  }
}

TEST(RandomKernels, DropoutsOldMaskHasTheTypeOfTheData) {
  const at::Tensor x = at::rand({4}, at::kDouble);
  EXPECT_TRUE(at::equal(run({"Dropout", {}, 7, 2}, {x}).at(1), at::ones({4}, at::kDouble)));
}

TEST(RandomKernels, ASeedGivesTheSameNumbersInEveryModule) {
  const Spec seeded{"RandomNormal", {real("seed", 5), list("shape", {4}), real("mean", 2)}};
  EXPECT_TRUE(at::equal(run(seeded, {}).at(0), run(seeded, {}).at(0)));
  const Spec free{"RandomNormal", {list("shape", {4})}};
  EXPECT_FALSE(at::equal(run(free, {}).at(0), run(free, {}).at(0)));
}

TEST(RandomKernels, NumbersFollowTheirDistribution) {
  at::manual_seed(4);
  const at::Tensor normal = run({"RandomNormal", {list("shape", {4000}), real("mean", 3), real("scale", 2)}}, {}).at(0);
  EXPECT_NEAR(normal.mean().item<double>(), 3, 0.15);
  EXPECT_NEAR(normal.std().item<double>(), 2, 0.1);
  const at::Tensor like = at::zeros({4000}, at::kDouble);
  const at::Tensor uniform = run({"RandomUniformLike", {real("low", -1), real("high", 3)}}, {like}).at(0);
  EXPECT_EQ(uniform.scalar_type(), at::kDouble);
  EXPECT_GE(uniform.min().item<double>(), -1);
  EXPECT_LE(uniform.max().item<double>(), 3);
  EXPECT_NEAR(uniform.mean().item<double>(), 1, 0.1);
  const at::Tensor drawn = run({"Bernoulli", {}}, {like + 0.25}).at(0);
  EXPECT_NEAR(drawn.mean().item<double>(), 0.25, 0.035);
  // The logarithms of chances that need not sum to one.
  const at::Tensor chances = at::log(reals({1, 3})).reshape({1, 2});
  const at::Tensor picks = run({"Multinomial", {whole("sample_size", 4000)}}, {chances}).at(0);
  EXPECT_EQ(picks.scalar_type(), at::kInt);
  EXPECT_EQ(picks.sizes(), (std::vector<std::int64_t>{1, 4000}));
  EXPECT_NEAR(picks.to(at::kDouble).mean().item<double>(), 0.75, 0.035);
}

}  // namespace
}  // namespace coppice
