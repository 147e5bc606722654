#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "coppice/torch/export_onnx.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/pruner.hpp"

#include "support/trace_check.hpp"

namespace coppice {
namespace {

namespace nn = torch::nn;

/// A module around one kind of layer, with something before and behind it that units can flow through.
struct LayerCase {
  std::string name;
  std::function<nn::Sequential()> make;
  at::Tensor input;
};

// LSTM and the like give a tuple, which Sequential cannot pass on.
template <class Holder>
struct FirstImpl : nn::Module {
  explicit FirstImpl(Holder layer_) : layer(std::move(layer_)) { register_module("layer", layer); }
  at::Tensor forward(at::Tensor x) { return std::get<0>(layer->forward(x)); }
  Holder layer;
};
template <class Holder>
std::shared_ptr<FirstImpl<Holder>> first(Holder layer) {
  return std::make_shared<FirstImpl<Holder>>(std::move(layer));
}

struct LookupImpl : nn::Module {
  LookupImpl() : table(nn::EmbeddingOptions(20, 8)) { register_module("table", table); }
  at::Tensor forward(at::Tensor x) { return table(x); }
  nn::Embedding table;
};

struct PairImpl : nn::Module {
  PairImpl() : product(nn::BilinearOptions(8, 8, 6)) { register_module("product", product); }
  at::Tensor forward(at::Tensor x) { return product(x, torch::tanh(x)); }
  nn::Bilinear product;
};

std::vector<LayerCase> cases() {
  const at::Tensor image = at::randn({2, 3, 8, 8}), line = at::randn({2, 3, 16}), block = at::randn({1, 2, 4, 4, 4});
  const at::Tensor rows = at::randn({4, 6}), steps = at::randn({5, 2, 6});
  return {
      {"conv1d", [] { return nn::Sequential(nn::Conv1d(3, 8, 3), nn::ReLU(), nn::Conv1d(8, 4, 1)); }, line},
      {"conv3d",
       [] { return nn::Sequential(nn::Conv3d(2, 8, 3), nn::BatchNorm3d(8), nn::ReLU(), nn::Conv3d(8, 4, 1)); }, block},
      {"depthwise",
       [] {
         return nn::Sequential(nn::Conv2d(3, 8, 1), nn::Conv2d(nn::Conv2dOptions(8, 8, 3).groups(8)), nn::ReLU(),
                               nn::Conv2d(8, 4, 1));
       },
       image},
      {"grouped",
       [] {
         return nn::Sequential(nn::Conv2d(3, 8, 1), nn::Conv2d(nn::Conv2dOptions(8, 8, 3).groups(2)), nn::ReLU(),
                               nn::Conv2d(8, 4, 1));
       },
       image},
      {"transposed",
       [] {
         return nn::Sequential(nn::Conv2d(3, 8, 1), nn::ConvTranspose2d(nn::ConvTranspose2dOptions(8, 6, 2).stride(2)),
                               nn::PReLU(nn::PReLUOptions().num_parameters(6)), nn::Conv2d(6, 4, 1));
       },
       image},
      {"instance_norm",
       [] {
         return nn::Sequential(nn::Conv2d(3, 8, 3), nn::InstanceNorm2d(nn::InstanceNorm2dOptions(8).affine(true)),
                               nn::Conv2d(8, 4, 1));
       },
       image},
      {"group_norm",
       [] {
         return nn::Sequential(nn::Conv2d(3, 8, 3), nn::GroupNorm(nn::GroupNormOptions(1, 8)), nn::ReLU(),
                               nn::Conv2d(8, 4, 1));
       },
       image},
      {"group_norm_of_groups",
       [] {
         return nn::Sequential(nn::Conv2d(3, 12, 3), nn::GroupNorm(nn::GroupNormOptions(4, 12)), nn::ReLU(),
                               nn::Conv2d(12, 4, 1));
       },
       image},
      {"group_norm_of_rows",
       [] {
         return nn::Sequential(nn::Linear(6, 12), nn::GroupNorm(nn::GroupNormOptions(4, 12)), nn::ReLU(),
                               nn::Linear(12, 4));
       },
       rows},
      {"group_norm_without_scale",
       [] {
         return nn::Sequential(nn::Conv2d(3, 12, 3), nn::GroupNorm(nn::GroupNormOptions(4, 12).affine(false)),
                               nn::ReLU(), nn::Conv2d(12, 4, 1));
       },
       image},
      {"two_group_norms",
       [] {
         return nn::Sequential(nn::Conv2d(3, 12, 3), nn::GroupNorm(nn::GroupNormOptions(6, 12)), nn::ReLU(),
                               nn::GroupNorm(nn::GroupNormOptions(3, 12)), nn::Conv2d(12, 4, 1));
       },
       image},
      {"layer_norm",
       [] { return nn::Sequential(nn::Linear(6, 8), nn::LayerNorm(nn::LayerNormOptions({8})), nn::Linear(8, 3)); },
       rows},
      {"embedding", [] { return nn::Sequential(std::make_shared<LookupImpl>(), nn::Linear(8, 3)); },
       at::arange(10).view({2, 5})},
      {"bilinear",
       [] { return nn::Sequential(nn::Linear(6, 8), std::make_shared<PairImpl>(), nn::ReLU(), nn::Linear(6, 3)); },
       rows},
      {"pixel_shuffle",
       [] { return nn::Sequential(nn::Conv2d(3, 8, 1), nn::ReLU(), nn::Conv2d(8, 8, 1), nn::PixelShuffle(2)); }, image},
      {"lstm", [] { return nn::Sequential(nn::Linear(6, 8), first(nn::LSTM(8, 10)), nn::Linear(10, 3)); }, steps},
      {"gru", [] { return nn::Sequential(nn::Linear(6, 8), first(nn::GRU(8, 10)), nn::Linear(10, 3)); }, steps},
      {"stacked_lstm",
       [] {
         return nn::Sequential(nn::Linear(6, 8), first(nn::LSTM(nn::LSTMOptions(8, 10).num_layers(2))),
                               nn::Linear(10, 3));
       },
       steps},
      {"stacked_gru_both_ways",
       [] {
         return nn::Sequential(nn::Linear(6, 8),
                               first(nn::GRU(nn::GRUOptions(8, 10).num_layers(2).bidirectional(true).bias(false))),
                               nn::Linear(20, 3));
       },
       steps},
      {"rnn_both_ways",
       [] {
         return nn::Sequential(nn::Linear(6, 8), first(nn::RNN(nn::RNNOptions(8, 10).bidirectional(true))),
                               nn::Linear(20, 3));
       },
       steps},
      {"projected_lstm",
       [] {
         return nn::Sequential(nn::Linear(6, 8), first(nn::LSTM(nn::LSTMOptions(8, 10).proj_size(6))),
                               nn::Linear(6, 3));
       },
       steps},
      {"stacked_projected_lstm_both_ways",
       [] {
         return nn::Sequential(
             nn::Linear(6, 8),
             first(nn::LSTM(nn::LSTMOptions(8, 10).num_layers(2).bidirectional(true).proj_size(6).batch_first(true))),
             nn::Linear(12, 3));
       },
       steps},
      {"lstm_cell", [] { return nn::Sequential(nn::Linear(6, 8), first(nn::LSTMCell(8, 10)), nn::Linear(10, 3)); },
       rows},
      {"gru_cell", [] { return nn::Sequential(nn::Linear(6, 8), nn::GRUCell(8, 10), nn::Linear(10, 3)); }, rows},
      {"rnn_cell", [] { return nn::Sequential(nn::Linear(6, 8), nn::RNNCell(8, 10), nn::Linear(10, 3)); }, rows},
      {"encoder_layer",
       [] {
         return nn::Sequential(
             nn::TransformerEncoderLayer(nn::TransformerEncoderLayerOptions(6, 2).dim_feedforward(16)),
             nn::Linear(6, 3));
       },
       steps},
      {"encoder",
       [] {
         return nn::Sequential(
             nn::TransformerEncoder(nn::TransformerEncoderOptions(
                 nn::TransformerEncoderLayer(nn::TransformerEncoderLayerOptions(6, 2).dim_feedforward(16)), 2)),
             nn::Linear(6, 3));
       },
       steps},
  };
}

std::int64_t elements(const nn::Module& module) {
  std::int64_t out = 0;
  for (const at::Tensor& parameter : module.parameters()) out += parameter.numel();
  return out;
}

// The module after the cut computes what its twin says, and goes on training.
TEST(PrunerLayers, EachGoesAlong) {
  torch::manual_seed(4);
  for (const LayerCase& c : cases()) {
    SCOPED_TRACE(c.name);
    nn::Sequential model = c.make();
    model->eval();
    const std::int64_t before = elements(*model);
    try {
      Pruner pruner(model, {.pruning_ratio = 50, .example_inputs = {c.input}});
      pruner.prune_model();
      EXPECT_LT(elements(*model), before);
      GraphModule twin(pruning::twin(pruner.prepared(), removed_units(pruner.prepared(), pruner.plan())));
      const at::Tensor expected = twin.run({c.input}).at(0), found = model->forward(c.input);
      ASSERT_EQ(found.sizes(), expected.sizes());
      EXPECT_LT((found - expected).abs().max().item<double>(), 1e-5 * expected.abs().max().item<double>() + 1e-6);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
      continue;
    }
    EXPECT_TRACES_WITHIN(1e-5, model, {c.input});  // what is exported afterwards has the new widths as well
    model->train();
    torch::optim::SGD optimizer(model->parameters(), 0.01);
    model->forward(c.input).square().mean().backward();
    optimizer.step();
  }
}

TEST(PrunerLayers, AttentionKeepsTheWidthsThatItsCodeCountsOn) {
  nn::Sequential model(nn::TransformerEncoderLayer(nn::TransformerEncoderLayerOptions(8, 2).dim_feedforward(16)),
                       nn::Linear(8, 3));
  Pruner pruner(model, {.pruning_ratio = 50, .example_inputs = {at::randn({5, 2, 8})}});
  pruner.prune_model();
  const auto& layer = *model->ptr<nn::TransformerEncoderLayerImpl>(0);
  EXPECT_EQ(layer.linear1->options.out_features(), 8);
  EXPECT_EQ(layer.linear2->options.in_features(), 8);
  EXPECT_EQ(layer.self_attn->in_proj_weight.sizes(), (std::vector<std::int64_t>{24, 8}));
  bool told = false;
  for (const coupling::Unit& unit : pruner.prepared().couplings.units())
    told = told || (unit.locked && unit.reason == coupling::Reason::module_code);
  EXPECT_TRUE(told);
}

// Whole groups go, as they do from the exported file, and the number of groups follows.
TEST(PrunerLayers, ANormLosesWholeGroups) {
  nn::Sequential model(nn::Conv2d(3, 12, 3), nn::GroupNorm(nn::GroupNormOptions(4, 12)), nn::Conv2d(12, 4, 1));
  const at::Tensor x = at::randn({1, 3, 8, 8});
  const graph::Model exported = onnx_model(model, {x});
  {
    const at::NoGradGuard guard;  // the second group and the last reach little
    for (const std::int64_t c : {3, 4, 5, 9, 10, 11}) model->parameters()[0][c].mul_(1e-3);
  }
  Pruner pruner(model, {.pruning_ratio = 50, .example_inputs = {x}});
  pruner.prune_model();
  const auto& norm = *model->ptr<nn::GroupNormImpl>(1);
  EXPECT_EQ(norm.options.num_channels(), 6);
  EXPECT_EQ(norm.options.num_groups(), 2);
  EXPECT_EQ(norm.weight.sizes(), (std::vector<std::int64_t>{6}));
  EXPECT_EQ(norm.bias.sizes(), (std::vector<std::int64_t>{6}));
  EXPECT_EQ(pruner.plan().cuts.at(0).kept, (std::vector<std::int64_t>{0, 1, 2, 6, 7, 8}));
  const auto file = pruning::prune(exported, {.plan = pruner.plan()});
  const graph::ValueId scale = file.model.graph.find("1.weight");
  EXPECT_EQ(file.model.graph.constant(scale)->shape, (graph::Shape{6}));
}

struct NormalisedImpl : nn::Module {
  NormalisedImpl() {
    scale = register_parameter("scale", at::rand({12}) + 0.5);
    shift = register_parameter("shift", at::randn({12}));
  }
  at::Tensor forward(at::Tensor x) { return at::group_norm(x, 4, scale, shift); }
  at::Tensor scale, shift;
};

// Code that names the number of groups keeps it: each of them loses the same places.
TEST(PrunerLayers, ANumberOfGroupsInTheCodeStays) {
  nn::Sequential model(nn::Conv2d(3, 12, 3), std::make_shared<NormalisedImpl>(), nn::Conv2d(12, 4, 1));
  const at::Tensor x = at::randn({1, 3, 8, 8});
  {
    const at::NoGradGuard guard;
    for (const std::int64_t c : {1, 4, 7, 10}) model->parameters()[0][c].mul_(1e-3);
  }
  Pruner pruner(model, {.pruning_ratio = 33, .example_inputs = {x}});
  pruner.prune_model();
  EXPECT_EQ(pruner.plan().cuts.at(0).kept, (std::vector<std::int64_t>{0, 2, 3, 5, 6, 8, 9, 11}));
  GraphModule twin(pruning::twin(pruner.prepared(), removed_units(pruner.prepared(), pruner.plan())));
  EXPECT_TRUE(at::allclose(model->forward(x), twin.forward(x), 1e-4, 1e-5));
}

// One hidden_size tells the width of every layer and direction, one proj_size that of every projection.
TEST(PrunerLayers, LayersAndDirectionsOfARecurrentModuleShrinkTogether) {
  nn::LSTM lstm(nn::LSTMOptions(8, 10).num_layers(2).bidirectional(true).proj_size(6));
  nn::Sequential model(nn::Linear(6, 8), first(lstm), nn::Linear(12, 3));
  const at::Tensor x = at::randn({5, 2, 6});
  {
    const at::NoGradGuard guard;  // the hidden units 1, 4, 7, 8, 9 and the projected 0, 3, 5 reach little
    for (const auto& item : lstm->named_parameters()) {
      at::Tensor p = item.value();
      if (item.key().find("weight_hr") == std::string::npos) continue;
      for (const std::int64_t unit : {1, 4, 7, 8, 9}) p.select(1, unit).mul_(1e-4);
      for (const std::int64_t unit : {0, 3, 5}) p[unit].mul_(1e-4);
    }
    for (const auto& item : lstm->named_parameters()) {
      if (item.key().find("weight_hr") != std::string::npos) continue;
      const at::Tensor p = item.value();
      for (std::int64_t gate = 0; gate < 4; ++gate)
        for (const std::int64_t unit : {1, 4, 7, 8, 9}) p[gate * 10 + unit].mul_(1e-4);
      if (item.key().find("weight_hh") == std::string::npos) continue;
      for (const std::int64_t unit : {0, 3, 5}) p.select(1, unit).mul_(1e-4);
    }
  }
  Pruner pruner(model, {.pruning_ratio = 50, .example_inputs = {x}});
  pruner.prune_model();
  EXPECT_EQ(lstm->options.input_size(), 4);
  EXPECT_EQ(lstm->options.hidden_size(), 5);
  EXPECT_EQ(lstm->options.proj_size(), 3);
  EXPECT_EQ(lstm->options_base.hidden_size(), 5);
  EXPECT_EQ(lstm->options_base.proj_size(), 3);
  const Plan plan = pruner.plan();
  int projections = 0;
  for (const pruning::PlanCut& cut : plan.cuts) {
    if (cut.parameter.find("weight_hr") == std::string::npos) continue;
    ++projections;
    EXPECT_EQ(cut.kept,
              cut.axis == 0 ? (std::vector<std::int64_t>{1, 2, 4}) : (std::vector<std::int64_t>{0, 2, 3, 5, 6}))
        << cut.parameter;
  }
  EXPECT_EQ(projections, 8);  // two layers, two directions, two axes
}

TEST(PrunerLayers, OptionsTellTheWidths) {
  nn::Sequential model(nn::Linear(6, 8), first(nn::LSTM(8, 10)), nn::Linear(10, 3));
  Pruner(model, {.pruning_ratio = 50, .example_inputs = {at::randn({5, 2, 6})}}).prune_model();
  const auto& lstm = *model->ptr<FirstImpl<nn::LSTM>>(1)->layer;
  EXPECT_EQ(lstm.options.input_size(), 4);
  EXPECT_EQ(lstm.options.hidden_size(), 5);
  nn::Sequential images(nn::Conv2d(3, 8, 3), nn::GroupNorm(nn::GroupNormOptions(1, 8)), nn::Conv2d(8, 4, 1));
  Pruner(images, {.pruning_ratio = 50, .example_inputs = {at::randn({1, 3, 8, 8})}}).prune_model();
  EXPECT_EQ(images->ptr<nn::GroupNormImpl>(1)->options.num_channels(), 4);
  EXPECT_EQ(images->ptr<nn::Conv2dImpl>(2)->options.in_channels(), 4);
}

// Started from zeros, a cell has to lose the same units in all gates and in what it would read from itself.
TEST(PrunerLayers, ACellStaysOneThatCanBeRunAgain) {
  const at::Tensor x = at::randn({2, 6}), state = at::randn({2, 10});
  nn::GRUCell cell(8, 10);
  nn::Sequential cells(nn::Linear(6, 8), cell, nn::Linear(10, 3));
  const at::NoGradGuard guard;
  const auto near_nothing = [&](const std::vector<std::int64_t>& units) {
    for (const at::Tensor& p : {cell->weight_ih, cell->weight_hh, cell->bias_ih, cell->bias_hh})
      for (std::int64_t gate = 0; gate < 3; ++gate)
        for (const std::int64_t unit : units) p[gate * 10 + unit].zero_();
    for (const std::int64_t unit : units) cell->weight_hh.select(1, unit).zero_();
  };
  near_nothing({0, 2, 3, 6, 9});
  // Without weights a gate is half open: the state of those units halves, and reaches no other.
  const at::Tensor expected = cell(at::ones({2, 8}), state).index_select(1, at::tensor({1, 4, 5, 7, 8}));
  Pruner pruner(cells, {.pruning_ratio = 50, .example_inputs = {x}, .ignored_layers = {"0"}});
  pruner.prune_model();
  EXPECT_EQ(cell->options.hidden_size(), 5);
  EXPECT_EQ(cell->weight_hh.sizes(), (std::vector<std::int64_t>{15, 5}));
  const at::Tensor found = cell(at::ones({2, 8}), state.index_select(1, at::tensor({1, 4, 5, 7, 8})));
  EXPECT_TRUE(at::allclose(found, expected, 1e-5, 1e-6));
}

}  // namespace
}  // namespace coppice
