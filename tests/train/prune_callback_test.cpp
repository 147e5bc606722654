#include "coppice/train/prune_callback.hpp"

#include <cmath>
#include <cstdio>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/torch/export_onnx.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/train/optimizer.hpp"
#include "coppice/train/trainer.hpp"

#include "support/scratch.hpp"
#include "train/small.hpp"

namespace coppice {
namespace {

using test::blobs;
using test::expect_same;
using test::small_net;

TEST(PruneCallback, PrintsThePercentagesOfOneCycle) {
  // 92 steps an epoch, ten epochs; epoch e ends with step 92 (e + 1) - 1. Source: fasterai's tutorial.
  const PruneCallback callback({.pruning_ratio = 40, .schedule = Schedule::one_cycle});
  std::string found;
  for (int epoch = 0; epoch < 10; ++epoch) {
    char text[16];
    std::snprintf(text, sizeof text, "%.2f ", 40 * callback.share(92 * (epoch + 1) - 1, 920));
    found += text;
  }
  EXPECT_EQ(found, "0.39 1.54 5.60 15.91 29.13 36.64 39.12 39.79 39.96 40.00 ");
}

TEST(PruneCallback, KeepsToItsWindow) {
  const auto shares = [](Schedule schedule, PruneWindow window) {
    const PruneCallback callback({.pruning_ratio = 40, .schedule = schedule}, std::move(window));
    std::vector<double> out;
    for (int step = 0; step < 10; ++step) out.push_back(callback.share(step, 10));
    return out;
  };
  EXPECT_EQ(shares(Schedule::one_shot, {}), (std::vector<double>{0, 0, 0, 0, 0, 1, 1, 1, 1, 1}));
  const auto agp = shares(Schedule::agp, {});
  EXPECT_EQ(agp[1], 0);
  EXPECT_DOUBLE_EQ(agp[6], 1 - std::pow(0.5, 3));
  EXPECT_EQ(agp[9], 1);
  const auto linear = shares(Schedule::linear, {.start = 0.2, .end = 0.7});
  EXPECT_EQ(linear[2], 0);
  EXPECT_NEAR(linear[4], 0.4, 1e-12);
  EXPECT_EQ(linear[6], 1);
  EXPECT_EQ(linear[9], 1);
  const auto own = shares(Schedule::linear, {.schedule = [](double position) { return position * position; }});
  EXPECT_DOUBLE_EQ(own[5], 0.25);
  EXPECT_THROW(PruneCallback({}, {.start = 0.7, .end = 0.2}), Error);
  EXPECT_THROW(shares(Schedule::linear, {.schedule = [](double) { return 2.0; }}), Error);
}

TrainerOptions options_with(std::shared_ptr<Callback> callback) {
  return {.epochs = 4, .callbacks = {std::move(callback)}};
}

data::Loader loader() {
  return data::Loader(blobs(100), {.batch_size = 10, .seed = 3});
}

TEST(PruneCallback, ShrinksTheNetworkWhileItLearns) {
  for (const Context context : {Context::local, Context::global}) {
    auto net = small_net();
    const auto optimizer = make_optimizer({.learning_rate = 0.05}, net->parameters());
    const auto prune = std::make_shared<PruneCallback>(
        PrunerOptions{.pruning_ratio = 50, .context = context, .schedule = Schedule::agp});
    Trainer trainer(net, *optimizer, loader(), options_with(prune));
    const History& history = trainer.fit();
    const std::int64_t first = net->ptr<torch::nn::LinearImpl>(0)->options.out_features(),
                       second = net->ptr<torch::nn::LinearImpl>(4)->options.out_features();
    EXPECT_EQ(first + second, 14);
    EXPECT_TRUE(context == Context::global || first == 8);
    EXPECT_LT(history.epochs[3].training_loss, history.epochs[0].training_loss / 2);
    const auto values = history.epochs[3].values;
    ASSERT_EQ(values.size(), 3U);
    EXPECT_EQ(values[0], std::make_pair(std::string("sparsity"), 50.0));
    std::int64_t parameters = 0;
    for (const at::Tensor& parameter : net->parameters()) parameters += parameter.numel();
    EXPECT_EQ(values[1], std::make_pair(std::string("parameters"), static_cast<double>(parameters)));
    EXPECT_EQ(history.epochs[0].values[0].second, 100 * 0.5 * prune->share(9, 40));
  }
}

TEST(PruneCallback, TakesCriteriaThatLookAtTheBatch) {
  auto net = small_net();
  const auto optimizer = make_optimizer({.learning_rate = 0.05}, net->parameters());
  const auto prune = std::make_shared<PruneCallback>(
      PrunerOptions{.pruning_ratio = 50, .context = Context::global, .criterion = taylor});
  Trainer trainer(net, *optimizer, loader(), options_with(prune));
  const History& history = trainer.fit();
  EXPECT_EQ(net->ptr<torch::nn::LinearImpl>(0)->options.out_features() +
                net->ptr<torch::nn::LinearImpl>(4)->options.out_features(),
            14);
  EXPECT_LT(history.epochs[3].training_loss, history.epochs[0].training_loss / 2);
}

TEST(PruneCallback, MeetsATarget) {
  auto net = small_net();
  const auto optimizer = make_optimizer({.learning_rate = 0.05}, net->parameters());
  const auto prune = std::make_shared<PruneCallback>(PrunerOptions{.context = Context::global, .target_macs = 0.4});
  Trainer trainer(net, *optimizer, loader(), options_with(prune));
  trainer.fit();
  const PruneStep& step = prune->pruner()->last_step();
  EXPECT_LE(step.macs, 0.4 * step.macs_before);
  EXPECT_GT(step.macs, 0.3 * step.macs_before);
}

// Stops in mid-schedule, and goes on in a fresh model.
template <class Make>
void go_on(Make make, const Criterion& criterion, const PrunerOptions& base = {.pruning_ratio = 50}) {
  const test::Scratch folder;
  const std::string path = folder / "training.pt";
  const auto train = [&](auto& model, int stop, bool resume) {
    const auto optimizer = make_optimizer({.learning_rate = 0.05}, model->parameters());
    PrunerOptions pruning = base;
    pruning.context = Context::global;
    pruning.criterion = criterion;
    pruning.schedule = Schedule::linear;
    Trainer trainer(model, *optimizer, loader(),
                    {.epochs = 4,
                     .callbacks = {std::make_shared<PruneCallback>(pruning), std::make_shared<test::StopAfter>(stop)},
                     .checkpoint = path});
    if (resume) trainer.resume(path);
    trainer.fit();
    return trainer.step();
  };
  auto whole = make();
  EXPECT_EQ(train(whole, 1000, false), 40);
  for (const int stop : {3, 17, 30, 39}) {
    auto half = make();
    EXPECT_EQ(train(half, stop, false), stop);
    auto fresh = make();
    EXPECT_EQ(train(fresh, 1000, true), 40);
    expect_same(*whole, *fresh);
  }
}

TEST(PruneCallback, GoesOnAsIfItHadNeverStopped) {
  for (const Criterion& criterion : {Criterion(large_final), Criterion(taylor), Criterion(movement)})
    go_on([] { return small_net(); }, criterion);
  go_on([] { return small_net(); }, large_final, {.target_macs = 0.4});
  go_on(
      [] {
        return std::make_shared<GraphModule>(onnx_model(small_net(), {at::ones({2, 8})}, {.dynamic_batch = true}));
      },
      taylor);
}

TEST(PruneCallback, TellsTheSparsityOfAnEpochThatWasLeftAtItsEnd) {
  const test::Scratch folder;
  const std::string path = folder / "training.pt";
  const auto train = [&](bool resume) {
    auto net = small_net();
    const auto optimizer = make_optimizer({.learning_rate = 0.05}, net->parameters());
    Trainer trainer(net, *optimizer, loader(),
                    {.epochs = 1,
                     .callbacks = {std::make_shared<PruneCallback>(PrunerOptions{.pruning_ratio = 40})},
                     .checkpoint = path,
                     .checkpoint_steps = 10});
    if (resume) trainer.resume(path);
    return trainer.fit().epochs.at(0).values;
  };
  const auto whole = train(false);
  EXPECT_EQ(whole.at(0).first, "sparsity");
  EXPECT_GT(whole.at(0).second, 39);
  EXPECT_EQ(train(true), whole);
}

}  // namespace
}  // namespace coppice
