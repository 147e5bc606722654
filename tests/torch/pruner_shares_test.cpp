#include <gtest/gtest.h>
#include <torch/torch.h>

#include "coppice/base/error.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/pruner.hpp"
#include "coppice/zoo/zoo.hpp"

#include "../../examples/resnet18.hpp"

// Pruner::prune_to(), and going on where another Pruner stood.
namespace coppice {
namespace {

PrunerOptions half() {
  return {.pruning_ratio = 50, .context = Context::global, .example_inputs = {at::ones({1, 3, 64, 64})}};
}

TEST(PrunerShares, ArriveWhereOneStepDoes) {
  ResNet18 one, two;
  Pruner(one, {.pruning_ratio = 50, .example_inputs = {at::ones({1, 3, 64, 64})}}).prune_model();
  Pruner pruner(two, {.pruning_ratio = 50, .example_inputs = {at::ones({1, 3, 64, 64})}});
  EXPECT_EQ(pruner.prune_to(0), nullptr);
  EXPECT_NE(pruner.prune_to(0.01), nullptr);  // 64 channels at 0.5 % keep 63
  EXPECT_EQ(pruner.prune_to(0.01), nullptr);
  std::int64_t last = 11689512;
  for (const double share : {0.3, 0.7, 1.0}) {
    const PruneStep* step = pruner.prune_to(share);
    ASSERT_NE(step, nullptr);
    EXPECT_EQ(step->parameters, parameters(*two));
    EXPECT_LT(step->parameters, last);
    last = step->parameters;
  }
  EXPECT_EQ(parameters(*two), parameters(*one));
  EXPECT_EQ(pruner.prune_to(1), nullptr);
  EXPECT_THROW(pruner.prune_to(1.1), Error);
}

void expect_same(const torch::nn::Module& a, const torch::nn::Module& b) {
  const auto one = a.named_parameters(), two = b.named_parameters();
  ASSERT_EQ(one.size(), two.size());
  for (const auto& item : one) EXPECT_TRUE(item.value().equal(two[item.key()])) << item.key();
}

template <class Make>
void go_on(Make make) {
  auto whole = make();
  Pruner first(whole, half());
  first.prune_to(0.5);
  std::stringstream stream;
  torch::serialize::OutputArchive out;
  first.save(out);
  out.save_to(stream);

  auto fresh = make();
  Pruner second(fresh, half());
  torch::serialize::InputArchive in;
  in.load_from(stream);
  second.load(in);
  expect_same(*whole, *fresh);
  EXPECT_EQ(second.prune_to(0.5), nullptr);
  ASSERT_NE(first.prune_to(1), nullptr);
  ASSERT_NE(second.prune_to(1), nullptr);
  expect_same(*whole, *fresh);
}

TEST(PrunerShares, GoOnInAFreshModule) {
  go_on([] {
    torch::manual_seed(5);
    return ResNet18();
  });
}

TEST(PrunerShares, GoOnInAFreshGraph) {
  go_on([] { return std::make_shared<GraphModule>(zoo::build("resnet18", 2, {.image_side = 64})); });
}

}  // namespace
}  // namespace coppice
