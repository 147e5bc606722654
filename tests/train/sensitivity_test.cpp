#include "coppice/train/sensitivity.hpp"

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/torch/export_onnx.hpp"
#include "coppice/torch/graph_module.hpp"

#include "train/small.hpp"

namespace coppice {
namespace {

using test::blobs;
using test::expect_same;
using test::small_net;

data::Loader loader() {
  return data::Loader(blobs(60), {.batch_size = 20, .shuffled = false});
}

Metric loss() {
  return {"loss", cross_entropy(), false};
}

// Every value against a Pruner's cut of a fresh module.
template <class Make>
void agrees(Make make, const PrunerOptions& pruning, std::size_t rows) {
  auto model = make();
  const Sensitivity found =
      measure_sensitivity(model, loader(), {.ratios = {50, 25}, .metric = loss(), .pruning = pruning});
  EXPECT_EQ(found.metric, "loss");
  EXPECT_FALSE(found.higher_is_better);
  EXPECT_EQ(found.ratios, (std::vector<double>{0.25, 0.5}));
  EXPECT_EQ(found.samples, 60);
  EXPECT_EQ(found.baseline, evaluate(model, loader()).loss);
  std::size_t measured = 0;
  for (const analysis::SensitivityRow& row : found.rows) {
    if (!row.measured()) continue;
    ++measured;
    EXPECT_EQ(row.reason, "");
    ASSERT_EQ(row.points.size(), 2U);
    for (const analysis::SensitivityPoint& point : row.points) {
      auto fresh = make();
      PrunerOptions options = pruning;
      options.pruning_ratio = LayerRatios{{row.layers.at(0), point.ratio}};
      options.example_inputs = {at::ones({1, 8})};
      if (options.criterion.options().needs_data()) options.calibration.data = loader();
      Pruner pruner(fresh, options);
      pruner.prune_model();
      EXPECT_EQ(point.value, evaluate(fresh, loader()).loss) << row.layers[0] << " " << point.ratio;
      EXPECT_NE(point.value, found.baseline);
      EXPECT_EQ(point.parameters, pruner.last_step().parameters);
      EXPECT_EQ(point.macs, pruner.last_step().macs);
      EXPECT_EQ(point.removed, static_cast<std::int64_t>(static_cast<double>(row.units) * point.ratio));
    }
  }
  EXPECT_EQ(measured, rows);
}

torch::nn::Sequential with_layer_norm() {
  torch::manual_seed(1);
  return torch::nn::Sequential(torch::nn::Linear(8, 16),
                               torch::nn::LayerNorm(torch::nn::LayerNormOptions(std::vector<std::int64_t>{16})),
                               torch::nn::ReLU(), torch::nn::Linear(16, 3));
}

torch::nn::Sequential net_of_blobs() {
  return small_net();
}

TEST(MeasureSensitivity, EqualsTheCut) {
  agrees(net_of_blobs, {}, 2);
  agrees(net_of_blobs, {.criterion = coppice::random, .seed = 4}, 2);
  agrees(net_of_blobs, {.criterion = taylor, .calibration = {.data = {}, .loss = cross_entropy()}}, 2);
  agrees(with_layer_norm, {}, 1);
  agrees(
      [] {
        return std::make_shared<GraphModule>(onnx_model(small_net(), {at::ones({2, 8})}, {.dynamic_batch = true}));
      },
      {}, 2);
}

TEST(MeasureSensitivity, LeavesTheModuleAsItWas) {
  auto net = small_net();
  net->train();
  net->forward(at::randn({4, 8})).sum().backward();
  const auto fresh = small_net();
  std::vector<std::pair<const void*, at::Tensor>> before;
  for (const at::Tensor& parameter : net->parameters())
    before.emplace_back(parameter.data_ptr(), parameter.grad().clone());
  std::vector<at::Tensor> buffers;
  for (const at::Tensor& buffer : net->buffers()) buffers.push_back(buffer.clone());
  measure_sensitivity(net, loader());
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(net->parameters()[i].data_ptr(), before[i].first);
    EXPECT_TRUE(net->parameters()[i].equal(fresh->parameters()[i]));
    EXPECT_TRUE(net->parameters()[i].grad().equal(before[i].second));
  }
  for (std::size_t i = 0; i < buffers.size(); ++i) EXPECT_TRUE(net->buffers()[i].equal(buffers[i]));
  EXPECT_EQ(net->ptr(0)->as<torch::nn::LinearImpl>()->options.out_features(), 16);
  EXPECT_TRUE(net->is_training());
}

struct FixedImpl : torch::nn::Module {
  FixedImpl() : first(8, 16), second(16, 12), last(12, 3) {
    register_module("first", first);
    register_module("second", second);
    register_module("last", last);
  }
  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor y = torch::relu(second(torch::relu(first(x))));
    if (y.size(1) != 12) throw Error("twelve it must be");
    return last(y);
  }
  torch::nn::Linear first, second, last;
};
TORCH_MODULE(Fixed);

TEST(MeasureSensitivity, NeverCallsRobustWhatCannotBeCut) {
  const Fixed net;
  const Sensitivity found = measure_sensitivity(net, loader(), {.metric = loss()});
  ASSERT_EQ(found.rows.size(), 3U);
  EXPECT_TRUE(found.rows[0].measured());
  EXPECT_FALSE(found.rows[1].measured());
  EXPECT_EQ(found.rows[1].layers, std::vector<std::string>{"second"});
  EXPECT_EQ(
      found.rows[1].reason,
      "the module's code does not go along with the cut: twelve it must be; or name the layers in ignored_layers");
  EXPECT_EQ(found.rows[2].reason, "leaves with a graph output");
  EXPECT_EQ(net->second->options.out_features(), 12);
  const auto ratios = analysis::layer_ratios(found, 0);
  EXPECT_TRUE(ratios.contains("first"));
  EXPECT_FALSE(ratios.contains("second"));
  // 16 units in steps of 8: a tenth and three tenths are nothing, a half is.
  auto small = small_net();
  const Sensitivity rounded = measure_sensitivity(small, loader(), {.pruning = {.round_to = 8}});
  EXPECT_FALSE(rounded.rows[0].points[0].value);
  EXPECT_TRUE(rounded.rows[0].points[2].value);
  EXPECT_EQ(rounded.rows[0].points[2].removed, 8);
  const Sensitivity whole = measure_sensitivity(small, loader(), {.pruning = {.round_to = 32}});
  EXPECT_EQ(whole.rows[0].reason, "no ratio takes a unit");
}

TEST(MeasureSensitivity, GivesRatiosThatMeetATarget) {
  auto net = small_net();
  const Sensitivity found = measure_sensitivity(net, loader(), {.metric = loss()});
  PrunerOptions options{.example_inputs = {at::ones({1, 8})}};
  const LayerRatios ratios = analysis::layer_ratios(found, Pruner(net, options).prepared(), {.target_parameters = 0.5});
  options.pruning_ratio = ratios;
  Pruner pruner(net, options);
  const PruneStep& step = pruner.prune_model();
  EXPECT_LE(static_cast<double>(step.parameters), 0.5 * static_cast<double>(step.parameters_before));
  EXPECT_GT(static_cast<double>(step.parameters), 0.4 * static_cast<double>(step.parameters_before));
}

TEST(MeasureSensitivity, SaysWhatIsWrong) {
  auto net = small_net();
  const auto message = [&](const BatchSource& data, std::vector<double> ratios) -> std::string {
    try {
      measure_sensitivity(net, data, {.ratios = std::move(ratios)});
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message(loader(), {}), "sensitivity: expected ratios, found none");
  EXPECT_EQ(message(loader(), {0.5, 100}), "sensitivity: expected ratios above 0 and below 1, found 100");
  EXPECT_EQ(message({}, {0.5}), "sensitivity: expected data, found none");
}

}  // namespace
}  // namespace coppice
