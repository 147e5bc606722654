#include "coppice/pruning/refill.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/random_inputs.hpp"
#include "coppice/zoo/zoo.hpp"

namespace coppice {
namespace {

class Refill : public testing::TestWithParam<const char*> {};

// Layers neither die out nor explode, and no two runs of layers hide behind a constant.
TEST_P(Refill, EveryLayerIsAlive) {
  const auto prepared = pruning::refill(pruning::prepare(zoo::build(GetParam(), 0, {.image_side = 64})), 2);
  GraphModule module(prepared.model);
  std::vector<std::pair<std::string, double>> spreads;
  for (const graph::Node& node : prepared.model.graph.nodes) {
    if (!node.is("Conv") && !node.is("Gemm") && !node.is("MatMul") && !node.is("LSTM")) continue;
    const std::string name(prepared.model.graph.name_of(node.outputs[0]));
    module.observe(name, [&spreads, name](at::Tensor& value) {
      spreads.emplace_back(name, value.to(at::kDouble).flatten().std(false).item<double>());
    });
  }
  const at::NoGradGuard no_grad;
  module.run(random_inputs(prepared.model, prepared.worlds.second, 0));
  ASSERT_GT(spreads.size(), 2U);
  for (const auto& [name, spread] : spreads) {
    EXPECT_GT(spread, 0.05) << name;
    EXPECT_LT(spread, 1e4) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(Zoo, Refill,
                         testing::Values("resnet50", "mobilenet_v2", "densenet121", "efficientnet_b0",
                                         "shufflenet_v2_x1_0", "unet_gn", "gpt2_tiny", "llama_tiny", "lstm_tagger",
                                         "mlp"),
                         [](const auto& model) { return std::string(model.param); });

TEST(Refill, IsTheSameForTheSameSeed) {
  const pruning::Prepared mlp = pruning::prepare(zoo::build("mlp"));
  const auto bytes = [&](std::uint64_t seed) {
    const pruning::Prepared refilled = pruning::refill(mlp, seed);
    const auto all = refilled.model.graph.initializers.front().tensor.bytes.span();
    return std::vector<std::byte>(all.begin(), all.end());
  };
  EXPECT_EQ(bytes(1), bytes(1));
  EXPECT_NE(bytes(1), bytes(2));
}

}  // namespace
}  // namespace coppice
