#include "coppice/train/recalibrate.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/torch/export_onnx.hpp"
#include "coppice/torch/graph_module.hpp"

#include "support/message.hpp"
#include "train/small.hpp"

namespace coppice {
namespace {

using test::blobs;
using test::expect_same;
using test::small_net;

// Two batches of two samples: means 2 and 7, variances (of samples) 2 and 8.
std::vector<at::Tensor> two_batches() {
  return {at::tensor({1.0F, 3.0F}).view({2, 1}), at::tensor({5.0F, 9.0F}).view({2, 1})};
}

TEST(Recalibrate, TakesTheMeanOfTheBatches) {
  torch::nn::Sequential net(torch::nn::Dropout(0.5), torch::nn::BatchNorm1d(1));
  auto& norm = *net[1]->as<torch::nn::BatchNorm1d>();
  norm.running_mean.fill_(std::nan(""));
  net->train();
  const auto generator = at::globalContext().defaultGenerator(at::Device(at::kCPU)).get_state();
  EXPECT_EQ(recalibrate_batch_norm(net, two_batches()), 2);
  EXPECT_FLOAT_EQ(norm.running_mean.item<float>(), 4.5F);
  EXPECT_FLOAT_EQ(norm.running_var.item<float>(), 5);
  EXPECT_EQ(norm.num_batches_tracked.item<int>(), 2);
  EXPECT_EQ(norm.options.momentum(), 0.1);
  EXPECT_TRUE(norm.is_training() && net->is_training() && net->ptr(0)->is_training());
  EXPECT_FALSE(norm.weight.grad().defined());
  EXPECT_TRUE(generator.equal(at::globalContext().defaultGenerator(at::Device(at::kCPU)).get_state()));
  EXPECT_EQ(recalibrate_batch_norm(net, two_batches(), 1), 1);
  EXPECT_FLOAT_EQ(norm.running_mean.item<float>(), 2);
}

// The running variance of one value would be NaN, and the network with it.
TEST(Recalibrate, RefusesOneValueAChannel) {
  const auto graph =
      std::make_shared<GraphModule>(onnx_model(small_net(), {at::ones({2, 8})}, {.dynamic_batch = true}));
  const data::Loader loader(blobs(9), {.batch_size = 4, .shuffled = false});
  const std::string said = test::message([&] { recalibrate_batch_norm(graph, loader); });
  EXPECT_NE(said.find("expected two values or more a channel to train on, found one"), std::string::npos) << said;
  for (const auto& [name, tensor] : graph->constants())
    if (tensor.is_floating_point()) EXPECT_TRUE(at::isfinite(tensor).all().item<bool>()) << name;
}

TEST(Recalibrate, TreatsGraphsAlike) {
  auto net = small_net();
  const auto graph = std::make_shared<GraphModule>(onnx_model(net, {at::ones({2, 8})}, {.dynamic_batch = true}));
  const data::Loader loader(blobs(100), {.batch_size = 25, .shuffled = false});
  EXPECT_EQ(recalibrate_batch_norm(net, loader), 4);
  EXPECT_EQ(recalibrate_batch_norm(graph, loader), 4);
  const auto buffers = net->named_buffers();
  const auto constants = graph->constants();
  for (const char* name : {"1.running_mean", "1.running_var"}) {
    EXPECT_TRUE(buffers[name].allclose(constants.at(name), 1e-5, 1e-6)) << name;
    EXPECT_FALSE(buffers[name].allclose(at::zeros(16)) || buffers[name].allclose(at::ones(16)));
  }
  // Afterwards evaluation takes the running statistics again.
  net->eval();
  const at::Tensor x = at::full({1, 8}, 0.5);
  EXPECT_TRUE(graph->forward(x).allclose(net->forward(x), 1e-5, 1e-6));
}

TEST(Recalibrate, ChangesNothingWhenItFails) {
  auto net = small_net(), twin = small_net();
  EXPECT_THROW(recalibrate_batch_norm(net, std::vector<at::Tensor>{}), Error);
  EXPECT_THROW(recalibrate_batch_norm(net, std::vector<at::Tensor>{at::ones({4, 8}), at::ones({4, 7})}), Error);
  EXPECT_THROW(recalibrate_batch_norm(net, two_batches(), -1), Error);
  expect_same(*net, *twin);
  EXPECT_EQ(net[1]->as<torch::nn::BatchNorm1d>()->options.momentum(), 0.1);
  const torch::nn::Linear plain(1, 1);
  EXPECT_THROW(recalibrate_batch_norm(plain, two_batches()), Error);
}

}  // namespace
}  // namespace coppice
