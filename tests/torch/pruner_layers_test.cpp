#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/pruner.hpp"

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

// Which of a norm's groups go, and which channels within them, is more than its weights tell.
TEST(PrunerLayers, ANormOfSeveralGroupsKeepsItsWidth) {
  nn::Sequential model(nn::Conv2d(3, 8, 3), nn::GroupNorm(nn::GroupNormOptions(2, 8)), nn::Conv2d(8, 6, 1), nn::ReLU(),
                       nn::Conv2d(6, 4, 1));
  Pruner(model, {.pruning_ratio = 50, .example_inputs = {at::randn({1, 3, 8, 8})}}).prune_model();
  EXPECT_EQ(model->ptr<nn::GroupNormImpl>(1)->options.num_channels(), 8);
  EXPECT_EQ(model->ptr<nn::Conv2dImpl>(2)->options.out_channels(), 3);
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

}  // namespace
}  // namespace coppice
