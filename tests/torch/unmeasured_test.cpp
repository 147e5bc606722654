// Criteria that know nothing of some group leave it whole, and say so.
#include <gtest/gtest.h>
#include <torch/torch.h>

#include "coppice/pruning/prune.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/pruner.hpp"
#include "coppice/torch/random_inputs.hpp"
#include "coppice/zoo/zoo.hpp"

namespace coppice {
namespace {

TEST(Unmeasured, LayersOfAModuleStayWhole) {
  const Criterion last_layer("last_layer",
                             [](const WeightView& w) { return w.name == "4.weight" ? w.weight.abs() : at::Tensor(); });
  for (const Context context : {Context::local, Context::global, Context::isomorphic}) {
    torch::manual_seed(2);
    torch::nn::Sequential model(torch::nn::Linear(2, 4), torch::nn::ReLU(), torch::nn::Linear(4, 4), torch::nn::ReLU(),
                                torch::nn::Linear(4, 2));
    Pruner pruner(model, {.pruning_ratio = 50,
                          .context = context,
                          .criterion = last_layer,
                          .example_inputs = {at::ones({1, 2})},
                          .iterative_steps = 2});
    const PruneStep first = pruner.prune_model();
    ASSERT_EQ(first.warnings.size(), 1u);
    EXPECT_NE(first.warnings[0].find("0.weight[0]"), std::string::npos) << first.warnings[0];
    EXPECT_NE(first.warnings[0].find("stays whole with its 4 units"), std::string::npos) << first.warnings[0];
    EXPECT_TRUE(pruner.prune_model().warnings.empty());  // told once
    EXPECT_EQ(model[0]->as<torch::nn::Linear>()->options.out_features(), 4);
    EXPECT_EQ(model[2]->as<torch::nn::Linear>()->options.out_features(), 2);
  }
}

// A recurrent layer has no output that is a sum of products of its weights.
TEST(Unmeasured, ActivationNormsDoNotTellOfRecurrentUnits) {
  graph::Model model = zoo::build("lstm_tagger");
  pruning::PruneOptions options{.select = {.ratio = 0.5}};
  options.select.measure = [](const pruning::Prepared& whole, std::span<const std::uint8_t> removed) {
    GraphModule module(pruning::twin(whole, removed));
    const std::vector<Batch> data{{random_inputs(whole.model, whole.worlds.counting, 1), {}}};
    return make_measure(activation_norm, whole, removed,
                        collect(module, whole, activation_norm.options, {.data = data}));
  };
  const pruning::PruneResult result = pruning::prune(std::move(model), options);
  ASSERT_FALSE(result.report.warnings.empty());
  const pruning::Prepared& prepared = result.prepared;
  std::int64_t recurrent = 0;
  for (const graph::Node& node : prepared.model.graph.nodes) {
    if (!node.is("LSTM")) continue;
    const coupling::Axis& hidden = prepared.couplings.axes(node.input(2))[2];
    EXPECT_EQ(prepared.couplings.kept_count(hidden, result.removed), hidden.length);
    EXPECT_EQ(prepared.couplings.units()[static_cast<std::size_t>(prepared.couplings.track(hidden.track)[0])].reason,
              coupling::Reason::unmeasured);
    ++recurrent;
  }
  EXPECT_GT(recurrent, 0);
  EXPECT_LT(result.report.after.parameters, result.report.before.parameters);
}

}  // namespace
}  // namespace coppice
