#include "coppice/train/sparse_training.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/importance/scores.hpp"
#include "coppice/torch/pruner.hpp"
#include "coppice/train/optimizer.hpp"
#include "coppice/train/prune_callback.hpp"
#include "coppice/train/trainer.hpp"

#include "support/scratch.hpp"
#include "train/small.hpp"

namespace coppice {
namespace {

using test::blobs;
using test::expect_same;
using test::small_net;

// Two units of known weights: the rows of the first layer, the columns of the second, and the scales between.
torch::nn::Sequential two_units() {
  torch::nn::Sequential net(torch::nn::Linear(2, 2), torch::nn::BatchNorm1d(2), torch::nn::Linear(2, 1));
  const at::NoGradGuard no_gradients;
  net->ptr<torch::nn::LinearImpl>(0)->weight.copy_(at::tensor({3.0F, 0.0F, 1.0F, 0.0F}).view({2, 2}));
  net[1]->as<torch::nn::BatchNorm1d>()->weight.copy_(at::tensor({-3.0F, 1.0F}));
  net->ptr<torch::nn::LinearImpl>(2)->weight.copy_(at::tensor({3.0F, 1.0F}).view({1, 2}));
  return net;
}

// What a penalty adds to the gradients of the first step: the loss has none.
std::map<std::string, at::Tensor> added(torch::nn::Sequential net, std::shared_ptr<Callback> penalty) {
  struct Look : Callback {
    void before_step(Trainer& trainer) override {
      for (const auto& item : trainer.model().module().named_parameters())
        found[item.key()] = item.value().grad().clone();
    }
    std::map<std::string, at::Tensor> found;
  };
  const auto look = std::make_shared<Look>();
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  const std::vector<std::pair<at::Tensor, at::Tensor>> data{{at::ones({4, 2}), at::zeros({4, 1})}};
  Trainer(net, optimizer, data,
          {.loss = [](const std::vector<at::Tensor>& outputs, const at::Tensor&) { return outputs[0].sum() * 0; },
           .callbacks = {std::move(penalty), look}})
      .fit();
  return look->found;
}

void expect_near(const at::Tensor& found, const std::vector<double>& expected) {
  EXPECT_TRUE(found.flatten().to(at::kDouble).allclose(at::tensor(expected, at::kDouble), 1e-5, 1e-12)) << found;
}

TEST(BatchNormScale, PullsScalesTowardsZero) {
  const auto plain = added(two_units(), std::make_shared<BatchNormScale>(0.01));
  expect_near(plain.at("1.weight"), {-0.01, 0.01});
  expect_near(plain.at("0.weight"), {0, 0, 0, 0});
  expect_near(plain.at("2.weight"), {0, 0});
  // One scale a unit: the norm of the group is that of the scale.
  const auto lasso = added(two_units(), std::make_shared<BatchNormScale>(0.01, true));
  expect_near(lasso.at("1.weight"), {-0.01 * 3 / std::sqrt(9 + 1e-9), 0.01 / std::sqrt(1 + 1e-9)});
  expect_near(lasso.at("1.bias"), {0, 0});
}

TEST(GroupNormRegulariser, PullsSmallUnitsHarder) {
  // Importance: the mean over three members of w^2 is 9 and 1, so I is 3 and 1: gamma is 16^0 and 16^1.
  const auto found = added(two_units(), std::make_shared<GroupNormRegulariser>(0.01));
  expect_near(found.at("0.weight"), {0.03, 0, 0.16, 0});
  expect_near(found.at("1.weight"), {-0.03, 0.16});
  expect_near(found.at("2.weight"), {0.03, 0.16});
  expect_near(found.at("0.bias"), {0, 0});
  auto equal = two_units();
  {
    const at::NoGradGuard no_gradients;
    for (at::Tensor& parameter : equal->parameters()) parameter.fill_(1);
  }
  expect_near(added(equal, std::make_shared<GroupNormRegulariser>(0.01)).at("2.weight"), {0.01, 0.01});
}

TEST(Growing, GrowsWhereUnitsAreSmall) {
  auto net = two_units();
  torch::optim::SGD optimizer(net->parameters(), 0);
  const std::vector<std::pair<at::Tensor, at::Tensor>> data(4, {at::ones({4, 2}), at::zeros({4, 1})});
  const auto growing = std::make_shared<Growing>(0.01, 2);
  Trainer(net, optimizer, data, {.epochs = 2, .loss = mse(), .callbacks = {growing}}).fit();
  // Importances 9 and 1; it grew before the steps 2, 4 and 6.
  ASSERT_EQ(growing->strengths().size(), 1U);
  expect_near(growing->strengths()[0], {0.01, 0.01 + 3 * 0.01 * 8 / (8 + 1e-8)});
  const auto first = added(two_units(), std::make_shared<Growing>(0.01));
  expect_near(first.at("0.weight"), {0.03, 0, 0.01, 0});
}

// The scores are those that a pruner ranks by, also where a unit owns several columns of a layer.
TEST(SparseTraining, MeasuresAsThePrunerDoes) {
  torch::manual_seed(3);
  torch::nn::Sequential net(torch::nn::Conv2d(1, 4, 3), torch::nn::BatchNorm2d(4), torch::nn::Flatten(),
                            torch::nn::Linear(16, 3));
  {
    const at::NoGradGuard no_gradients;
    net[1]->as<torch::nn::BatchNorm2d>()->weight.copy_(at::tensor({0.5F, 2.0F, 1.0F, 3.0F}));
  }
  const Pruner pruner(net, {.example_inputs = {at::ones({1, 1, 4, 4})}});
  const pruning::Prepared& prepared = pruner.prepared();
  const auto scores = importance::unit_scores(prepared.model.graph, prepared.couplings, prepared.roles,
                                              {.criterion = importance::Criterion::l2});
  std::vector<double> norms;
  for (const auto& group : prepared.couplings.groups())
    for (const std::int32_t unit : group.units)
      norms.push_back(std::sqrt(scores.units[static_cast<std::size_t>(unit)]));
  ASSERT_EQ(norms.size(), 4U);
  const auto [least, most] = std::minmax_element(norms.begin(), norms.end());
  std::vector<double> gamma;
  for (const double norm : norms) gamma.push_back(std::pow(16, (*most - norm) / (*most - *least)));

  struct Look : Callback {
    void before_step(Trainer& trainer) override {
      gradient = trainer.model().module().named_parameters()["3.weight"].grad().clone();
    }
    at::Tensor gradient;
  };
  const auto look = std::make_shared<Look>();
  const at::Tensor weight = net->named_parameters()["3.weight"].detach().clone();
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  const std::vector<std::pair<at::Tensor, at::Tensor>> data{{at::ones({4, 1, 4, 4}), at::zeros({4, 1})}};
  Trainer(net, optimizer, data,
          {.loss = [](const std::vector<at::Tensor>& outputs, const at::Tensor&) { return outputs[0].sum() * 0; },
           .callbacks = {std::make_shared<GroupNormRegulariser>(0.5), look}})
      .fit();
  const at::Tensor expected =
      0.5 * weight * at::tensor(gamma, at::kDouble).to(at::kFloat).repeat_interleave(4).view({1, 16});
  EXPECT_TRUE(look->gradient.allclose(expected, 1e-4, 1e-6));
}

TEST(SparseTraining, GoesOnWhileTheModelIsCut) {
  const auto train = [](std::vector<std::shared_ptr<Callback>> callbacks) {
    auto net = small_net();
    const auto optimizer = make_optimizer({.learning_rate = 0.05}, net->parameters());
    Trainer(net, *optimizer, data::Loader(blobs(100), {.batch_size = 10, .seed = 3}),
            {.epochs = 3, .callbacks = std::move(callbacks)})
        .fit();
    return net;
  };
  const auto prune = [] {
    return std::make_shared<PruneCallback>(PrunerOptions{.pruning_ratio = 50, .context = Context::global});
  };
  const auto alone = train({prune()});
  const std::vector<std::function<std::shared_ptr<Callback>()>> penalties{
      [] { return std::make_shared<BatchNormScale>(1e-2); },
      [] { return std::make_shared<BatchNormScale>(1e-2, true); },
      [] { return std::make_shared<GroupNormRegulariser>(1e-2); }, [] { return std::make_shared<Growing>(1e-2, 3); }};
  for (const auto& penalty : penalties) {
    const auto before = train({penalty(), prune()}), after = train({prune(), penalty()});
    // A cut takes the gradients along: where units do not depend on each other, it does not matter who comes first.
    if (&penalty == &penalties[0]) expect_same(*before, *after);
    EXPECT_EQ(before->ptr<torch::nn::LinearImpl>(0)->options.out_features() +
                  before->ptr<torch::nn::LinearImpl>(4)->options.out_features(),
              14);
    double sum = 0, sum_alone = 0;
    for (const at::Tensor& parameter : after->parameters()) sum += parameter.square().sum().item<double>();
    for (const at::Tensor& parameter : alone->parameters()) sum_alone += parameter.square().sum().item<double>();
    EXPECT_LT(sum, sum_alone);
  }
}

TEST(SparseTraining, GoesOnAsIfItHadNeverStopped) {
  const test::Scratch folder;
  const std::string path = folder / "training.pt";
  const auto train = [&](torch::nn::Sequential net, int stop, bool resume, bool first) {
    const auto optimizer = make_optimizer({.learning_rate = 0.05}, net->parameters());
    std::vector<std::shared_ptr<Callback>> callbacks{
        std::make_shared<Growing>(1e-2, 3),
        std::make_shared<PruneCallback>(
            PrunerOptions{.pruning_ratio = 50, .context = Context::global, .schedule = Schedule::linear})};
    if (!first) std::swap(callbacks[0], callbacks[1]);
    callbacks.push_back(std::make_shared<test::StopAfter>(stop));
    Trainer trainer(net, *optimizer, data::Loader(blobs(100), {.batch_size = 10, .seed = 3}),
                    {.epochs = 3, .callbacks = std::move(callbacks), .checkpoint = path});
    if (resume) trainer.resume(path);
    trainer.fit();
  };
  for (const bool first : {true, false}) {
    auto whole = small_net();
    train(whole, 1000, false, first);
    for (const int stop : {2, 14, 23}) {
      train(small_net(), stop, false, first);
      auto fresh = small_net();
      train(fresh, 1000, true, first);
      expect_same(*whole, *fresh);
    }
  }
}

TEST(SparseTraining, RefusesWhatItCannotDo) {
  EXPECT_THROW(GroupNormRegulariser(0), Error);
  EXPECT_THROW(BatchNormScale(-1), Error);
  EXPECT_THROW(Growing(1e-5, -1), Error);
  // A cut that nobody announced.
  struct Cut : Callback {
    void before_step(Trainer& trainer) override {
      Pruner(trainer.model(), {.pruning_ratio = 50, .optimizer = &trainer.optimizer()}).prune_model();
    }
  };
  auto net = two_units();
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  const std::vector<std::pair<at::Tensor, at::Tensor>> data{{at::ones({4, 2}), at::zeros({4, 1})}};
  Trainer trainer(net, optimizer, data,
                  {.loss = mse(), .callbacks = {std::make_shared<Cut>(), std::make_shared<Growing>()}});
  EXPECT_THROW(trainer.fit(), Error);
}

}  // namespace
}  // namespace coppice
