#include "coppice/torch/snapshot.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "coppice/base/error.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/pruner.hpp"
#include "coppice/zoo/zoo.hpp"

#include "support/message.hpp"

namespace coppice {
namespace {

using test::message;

using torch::nn::Conv2dOptions;

/// With a depthwise convolution, whose number of groups shrinks, and buffers.
torch::nn::Sequential net() {
  torch::manual_seed(1);
  return torch::nn::Sequential(torch::nn::Conv2d(Conv2dOptions(3, 8, 3).padding(1)), torch::nn::BatchNorm2d(8),
                               torch::nn::ReLU(), torch::nn::Conv2d(Conv2dOptions(8, 8, 3).padding(1).groups(8)),
                               torch::nn::BatchNorm2d(8), torch::nn::ReLU(),
                               torch::nn::AdaptiveAvgPool2d(torch::nn::AdaptiveAvgPool2dOptions(1)),
                               torch::nn::Flatten(), torch::nn::Linear(8, 4));
}

std::vector<at::Tensor> example() {
  return {at::ones({1, 3, 8, 8})};
}

template <class Model>
void train(Model& model, torch::optim::Optimizer& optimizer, int steps) {
  torch::manual_seed(2);
  model->train();
  for (int i = 0; i < steps; ++i) {
    optimizer.zero_grad();
    model->forward(at::randn({4, 3, 8, 8})).square().mean().backward();
    optimizer.step();
  }
}

void expect_same(const torch::nn::Module& a, const torch::nn::Module& b) {
  const auto one = a.named_parameters(), two = b.named_parameters();
  ASSERT_EQ(one.size(), two.size());
  for (const auto& item : one) EXPECT_TRUE(item.value().equal(two[item.key()])) << item.key();
  for (const auto& item : a.named_buffers()) EXPECT_TRUE(item.value().equal(b.named_buffers()[item.key()]));
}

template <class Make, class MakeOptimizer>
void goes_back(Make make, MakeOptimizer make_optimizer) {
  auto model = make(), twin = make();
  auto optimizer = make_optimizer(model->parameters()), other = make_optimizer(twin->parameters());
  train(model, optimizer, 3);
  train(twin, other, 3);
  const ModuleSnapshot snapshot(model, &optimizer);
  const auto tensors = model->parameters();
  for (const double ratio : {50, 25}) {
    optimizer.param_groups()[0].options().set_lr(0.5);
    Pruner(model, {.pruning_ratio = ratio, .example_inputs = example(), .optimizer = &optimizer}).prune_model();
    EXPECT_EQ(tensors[0].size(0), 8 - 8 * ratio / 100);
    train(model, optimizer, 2);
    snapshot.restore();
    expect_same(*model, *twin);
    EXPECT_FALSE(tensors[0].grad().defined());
  }
  for (std::size_t i = 0; i < tensors.size(); ++i)
    EXPECT_EQ(model->parameters()[i].unsafeGetTensorImpl(), tensors[i].unsafeGetTensorImpl());
  // Momentum, moments, numbers of steps and rates are those of then.
  train(model, optimizer, 3);
  train(twin, other, 3);
  expect_same(*model, *twin);
}

TEST(ModuleSnapshot, UndoesCutsAndTraining) {
  using namespace torch::optim;
  const auto sgd = [](const auto& parameters) { return SGD(parameters, SGDOptions(0.1).momentum(0.9)); };
  goes_back(net, sgd);
  goes_back(net, [](const auto& parameters) { return AdamW(parameters, AdamWOptions(0.01)); });
  goes_back(net, [](const auto& parameters) { return Adam(parameters, AdamOptions(0.01).amsgrad(true)); });
}

TEST(ModuleSnapshot, PutsLayersOptionsBack) {
  auto model = net();
  const ModuleSnapshot snapshot(model);
  Pruner(model, {.pruning_ratio = 50, .example_inputs = example()}).prune_model();
  const auto* depthwise = model->ptr(3)->as<torch::nn::Conv2dImpl>();
  EXPECT_EQ(depthwise->options.groups(), 4);
  snapshot.restore();
  EXPECT_EQ(depthwise->options.groups(), 8);
  EXPECT_EQ(depthwise->options.in_channels(), 8);
  EXPECT_EQ(model->ptr(1)->as<torch::nn::BatchNorm2dImpl>()->options.num_features(), 8);
  EXPECT_EQ(model->ptr(8)->as<torch::nn::LinearImpl>()->options.in_features(), 8);
  expect_same(*model, *net());
}

TEST(ModuleSnapshot, PutsAGraphBack) {
  const auto make = [] { return std::make_shared<GraphModule>(zoo::build("resnet18", 2, {.image_side = 32})); };
  auto model = make();
  const at::Tensor x = at::randn({1, 3, 32, 32});
  const at::NoGradGuard guard;
  const at::Tensor before = model->forward(x);
  const ModuleSnapshot snapshot(model);
  Pruner(model, {.pruning_ratio = 50}).prune_model();
  EXPECT_FALSE(model->forward(x).equal(before));
  snapshot.restore();
  expect_same(*model, *make());
  EXPECT_TRUE(model->forward(x).equal(before));
  EXPECT_EQ(pruning::fingerprint(model->model()), pruning::fingerprint(make()->model()));
}

TEST(ModuleSnapshot, LetsAPrunerGoOn) {
  auto model = net(), twin = net();
  const PrunerOptions options{.pruning_ratio = 75, .criterion = movement, .example_inputs = example()};
  Pruner pruner(model, options), straight(twin, options);
  torch::optim::SGD optimizer(model->parameters(), 0.1), other(twin->parameters(), 0.1);
  train(model, optimizer, 2);
  train(twin, other, 2);
  ASSERT_TRUE(pruner.prune_to(0.5));
  straight.prune_to(0.5);
  const ModuleSnapshot snapshot(model);
  const Pruner::Place place = pruner.place();
  ASSERT_TRUE(pruner.prune_to(1));
  train(model, optimizer, 1);
  snapshot.restore();
  pruner.go_back(place);
  EXPECT_EQ(pruner.last_step().parameters, straight.last_step().parameters);
  expect_same(*model, *twin);
  EXPECT_EQ(pruner.prune_to(0.5), nullptr);
  ASSERT_TRUE(pruner.prune_to(0.75));
  straight.prune_to(0.75);
  expect_same(*model, *twin);
  EXPECT_EQ(message([&] { straight.go_back(place); }), "place: expected one of this Pruner, found another's");
  EXPECT_EQ(message([&] { straight.go_back({}); }), "place: expected one of this Pruner, found none");
}

TEST(ModuleSnapshot, ChangesAllOrNothing) {
  auto model = net();
  torch::optim::SGD optimizer(model->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9));
  train(model, optimizer, 2);
  const ModuleSnapshot snapshot(model, &optimizer);
  Pruner(model, {.pruning_ratio = 50, .example_inputs = example(), .optimizer = &optimizer}).prune_model();
  train(model, optimizer, 1);
  std::vector<at::Tensor> now, gradients;
  for (const at::Tensor& parameter : model->parameters()) {
    now.push_back(parameter.detach().clone());
    gradients.push_back(parameter.grad().clone());
  }
  optimizer.add_param_group(torch::optim::OptimizerParamGroup({at::ones({2}).requires_grad_()}));
  EXPECT_EQ(message([&] { snapshot.restore(); }),
            "snapshot: expected the optimizer's groups of parameters as they were, found others");
  for (std::size_t i = 0; i < now.size(); ++i) {
    EXPECT_TRUE(model->parameters()[i].equal(now[i]));
    EXPECT_TRUE(model->parameters()[i].grad().equal(gradients[i]));
  }
  EXPECT_EQ(model->ptr(3)->as<torch::nn::Conv2dImpl>()->options.groups(), 4);
  const ModuleSnapshot of_floats(model);
  model->to(at::kDouble);
  EXPECT_EQ(message([&] { of_floats.restore(); }), "snapshot: \"0.weight\": expected Float, found Double");
}

}  // namespace
}  // namespace coppice
