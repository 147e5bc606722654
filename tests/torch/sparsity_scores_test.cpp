#include "coppice/torch/sparsity_scores.hpp"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/nn/functional/loss.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include "coppice/torch/tensors.hpp"
#include "coppice/torch/trace.hpp"

namespace coppice {
namespace {

/// A convolution in two groups and a matrix, with samples.
struct Problem {
  Problem() {
    torch::manual_seed(5);
    net = torch::nn::Sequential(torch::nn::Conv2d(torch::nn::Conv2dOptions(4, 6, 3).groups(2)), torch::nn::ReLU(),
                                torch::nn::Flatten(), torch::nn::Linear(6 * 2 * 2, 5));
    inputs = at::randn({12, 4, 4, 4});
    target = at::randint(5, {12}, at::kLong);
    module = std::make_unique<GraphModule>(trace(net, {inputs.slice(0, 0, 6)}));
    calibration.data = std::vector<Batch>{{{inputs.slice(0, 0, 6)}, target.slice(0, 0, 6)},
                                          {{inputs.slice(0, 6, 12)}, target.slice(0, 6, 12)}};
    calibration.loss = cross_entropy();
  }
  at::Tensor weight(int layer) { return net->named_parameters()[std::to_string(layer) + ".weight"]; }
  at::Tensor gradient(int layer) {
    const at::Tensor loss = torch::nn::functional::cross_entropy(net->forward(inputs), target);
    return torch::autograd::grad({loss}, {weight(layer)})[0];
  }
  torch::nn::Sequential net{nullptr};
  at::Tensor inputs, target;
  std::unique_ptr<GraphModule> module;
  Calibration calibration;
};

void expect_close(const at::Tensor& found, const at::Tensor& expected) {
  ASSERT_EQ(found.sizes(), expected.sizes());
  EXPECT_LT((found - expected.to(at::kDouble)).abs().max().item<double>(), 1e-5 * expected.abs().max().item<double>());
}

TEST(SparsityScores, AreThoseOfPlainAutograd) {
  Problem problem;
  const auto magnitude_gradient = sparsity_scores(*problem.module, taylor, problem.calibration);
  const auto gradients = sparsity_scores(*problem.module, gradient, problem.calibration);
  const auto shares = sparsity_scores(*problem.module, snip, problem.calibration);
  ASSERT_EQ(shares.size(), 2U);  // no biases
  double sum = 0;
  for (const int layer : {0, 3}) {
    const std::string name = std::to_string(layer) + ".weight";
    const at::Tensor expected = problem.gradient(layer);
    expect_close(to_torch(gradients.at(name)), expected.abs());
    expect_close(to_torch(magnitude_gradient.at(name)), (expected * problem.weight(layer)).abs().detach());
    sum += to_torch(shares.at(name)).sum().item<double>();
  }
  EXPECT_NEAR(sum, 1, 1e-12);
}

TEST(SparsityScores, ChooseWhatGoes) {
  Problem problem;
  sparsity::SparsifyOptions options{.sparsity = 0.5, .context = sparsity::Context::global};
  options.scores = sparsity_scores(*problem.module, taylor, problem.calibration);
  const sparsity::Sparsifier sparsifier(problem.module->view(), options);
  // 108 + 120 weights: the smallest 114 products of all.
  std::vector<at::Tensor> all;
  for (const int layer : {0, 3}) all.push_back((problem.gradient(layer) * problem.weight(layer)).abs().flatten());
  const at::Tensor bound = std::get<0>(at::kthvalue(at::cat(all), 114));
  for (std::size_t i = 0; i < 2; ++i) {
    const tensor::Mask& mask = sparsifier.masks()[i].mask;
    EXPECT_EQ(mask.dropped(), all[i].le(bound).sum().item<std::int64_t>());
  }
}

// The root of the mean over samples of the sum of squares over the places of a channel.
at::Tensor channel_norms(const at::Tensor& x) {
  return x.to(at::kDouble).square().sum(std::vector<std::int64_t>{2, 3}).mean(0).sqrt();
}

TEST(SparsityScores, GiveStrategiesWhatTheyLookAt) {
  Problem problem;
  sparsity::StrategyOptions options{.fraction = 0.5, .prune_classifier = true};
  look_at_data(*problem.module, problem.calibration, options);
  expect_close(to_torch(options.gradients.at("3.weight")), problem.gradient(3));
  // A channel of each of the two groups after the other.
  expect_close(at::tensor(options.input_norms.at("0.weight"), at::kDouble), channel_norms(problem.inputs));
  const at::Tensor outputs = problem.net->ptr<torch::nn::Conv2dImpl>(0)->forward(problem.inputs).detach();
  expect_close(at::tensor(options.output_norms.at("0.weight"), at::kDouble), channel_norms(outputs));
  const at::Tensor inputs = outputs.relu().flatten(1).to(at::kDouble).square().mean(0).sqrt();
  expect_close(at::tensor(options.input_norms.at("3.weight"), at::kDouble), inputs);

  const graph::Model model = problem.module->view();
  const auto masks = sparsity::make_strategy("LayerMagAct", model, options)->sparsifier().masks();
  // By hand: outputs 0 to 2 see channels 0 and 1, outputs 3 to 5 channels 2 and 3.
  const at::Tensor norms = channel_norms(problem.inputs).view({2, 1, 2, 1, 1}).expand({2, 3, 2, 3, 3});
  const at::Tensor scores = (problem.weight(0).detach().abs().view({2, 3, 2, 3, 3}) * norms).flatten();
  const at::Tensor stays = scores.gt(std::get<0>(at::kthvalue(scores, 54)));
  for (std::int64_t i = 0; i < 108; ++i) EXPECT_EQ(masks[0].mask.stays(i), stays[i].item<bool>()) << i;

  // Without a loss, no gradients.
  sparsity::StrategyOptions without{.fraction = 0.5};
  problem.calibration.loss = {};
  look_at_data(*problem.module, problem.calibration, without);
  EXPECT_TRUE(without.gradients.empty());
  EXPECT_EQ(without.input_norms.size(), 2U);
}

}  // namespace
}  // namespace coppice
