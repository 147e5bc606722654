#include "coppice/train/sparsify_callback.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "coppice/torch/export_onnx.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/masks.hpp"
#include "coppice/torch/trace.hpp"
#include "coppice/train/optimizer.hpp"
#include "coppice/train/prune_callback.hpp"
#include "coppice/train/ticket.hpp"

#include "support/message.hpp"
#include "support/scratch.hpp"
#include "train/small.hpp"

namespace coppice {
namespace {

using test::blobs;
using test::expect_same;
using test::message;
using test::small_net;

// Ten steps an epoch.
data::Loader loader() {
  return data::Loader(blobs(100), {.batch_size = 10, .seed = 3});
}

std::int64_t zeros(const at::Tensor& tensor) {
  return tensor.eq(0).sum().item<std::int64_t>();
}

// Of the matrices of small_net(): 8 x 16, 16 x 12 and 12 x 3.
constexpr std::int64_t all_weights = 128 + 192 + 36;

std::int64_t zeros_of_weights(const torch::nn::Module& net) {
  std::int64_t out = 0;
  for (const at::Tensor& parameter : net.parameters())
    if (parameter.dim() == 2) out += zeros(parameter);
  return out;
}

TEST(SparsifyCallback, FollowsTheCubicSchedule) {
  const SparsifyCallback callback({.sparsity = 0.9}, {.window = {.start = 0.2, .end = 0.7}, .initial = 0.1});
  // s_f + (s_i - s_f)(1 - t)^3 with t = (s - 20) / 50 of 100 steps.
  EXPECT_EQ(callback.sparsity(19, 100), 0);
  EXPECT_NEAR(callback.sparsity(20, 100), 0.1, 1e-12);
  EXPECT_NEAR(callback.sparsity(30, 100), 0.9 - 0.8 * std::pow(0.8, 3), 1e-12);
  EXPECT_NEAR(callback.sparsity(45, 100), 0.9 - 0.8 * std::pow(0.5, 3), 1e-12);
  EXPECT_NEAR(callback.sparsity(69, 100), 0.9, 1e-12);  // the last one arrives
  EXPECT_NEAR(callback.sparsity(99, 100), 0.9, 1e-12);
}

TEST(SparsifyCallback, KeepsZerosWhileTraining) {
  struct Look : Callback {
    void after_step(Trainer& trainer) override { seen.push_back(zeros_of_weights(trainer.model().module())); }
    std::vector<std::int64_t> seen;
  };
  for (const bool graph : {false, true}) {
    auto net = small_net();
    std::shared_ptr<torch::nn::Module> module = net.ptr();
    Callable model(net);
    if (graph) {
      const auto own = std::make_shared<GraphModule>(trace(net, {at::ones({10, 8})}));
      module = own;
      model = Callable(own);
    }
    const auto optimizer = make_optimizer({.learning_rate = 0.1}, module->parameters());
    const auto sparse = std::make_shared<SparsifyCallback>(
        sparsity::SparsifyOptions{.sparsity = 0.75, .context = sparsity::Context::global},
        SparsifySchedule{.schedule = Schedule::linear, .window = {.start = 0.25, .end = 0.75}, .frequency = 5});
    const auto look = std::make_shared<Look>();
    Trainer trainer(model, *optimizer, loader(), {.epochs = 4, .callbacks = {sparse, look}});
    const History history = trainer.fit();
    ASSERT_EQ(look->seen.size(), 40U);
    // Steps 10, 15, 20, 25 stand at 0, 1/4, 1/2, 3/4 of the way, and step 29 at its end.
    for (std::size_t step = 0; step < 40; ++step) {
      const double share = step < 15 ? 0 : step < 20 ? 0.25 : step < 25 ? 0.5 : step < 29 ? 0.75 : 1;
      EXPECT_EQ(look->seen[step], std::llround(0.75 * share * static_cast<double>(all_weights))) << step;
    }
    EXPECT_NEAR(history.epochs.back().values.front().second, 75, 1e-9);
    EXPECT_EQ(history.epochs.back().values.front().first, "zeros");
    const NamedTensors masks = sparse->masks();
    ASSERT_EQ(masks.size(), 3U);
    for (const auto& [name, mask] : masks) {
      const at::Tensor weight = module->named_parameters()[name];
      EXPECT_TRUE(weight.masked_select(mask.logical_not()).eq(0).all().item<bool>()) << name;
      EXPECT_FALSE(weight.masked_select(mask).eq(0).any().item<bool>()) << name;
    }
  }
}

TEST(SparsifyCallback, KeepsTheZerosThatAreThere) {
  struct Look : Callback {
    void after_cut(Trainer& trainer, const Pruner&) override { left = zeros_of_weights(trainer.model().module()); }
    std::int64_t left = 0;
  };
  for (const bool cut : {false, true}) {
    auto net = small_net();
    const std::vector<at::Tensor> inputs{at::ones({10, 8})};
    const NamedTensors masks = choose_masks(net, {.sparsity = 0.5, .ignore = {"6"}}, inputs);
    apply_masks(net, masks, inputs);
    const auto optimizer = make_optimizer({.learning_rate = 0.1}, net->parameters());
    const auto present = std::make_shared<SparsifyCallback>(PresentZeros{});
    const auto look = std::make_shared<Look>();
    TrainerOptions options{.epochs = 2, .callbacks = {look, present}};
    if (cut)
      options.callbacks.push_back(
          std::make_shared<PruneCallback>(PrunerOptions{.pruning_ratio = 0.25, .schedule = Schedule::one_shot}));
    Trainer(net, *optimizer, loader(), options).fit();
    const std::int64_t expected = cut ? look->left : 64 + 96;
    EXPECT_EQ(zeros_of_weights(*net), expected);
    EXPECT_GT(expected, 60);
    if (cut) continue;
    const NamedTensors kept = present->masks();
    ASSERT_EQ(kept.size(), masks.size());
    for (std::size_t i = 0; i < kept.size(); ++i) EXPECT_TRUE(kept[i].second.equal(masks[i].second)) << kept[i].first;
  }
}

TEST(SparsifyCallback, TakesPatternsAndLayersOfTheirOwn) {
  auto net = small_net();
  const auto optimizer = make_optimizer({.learning_rate = 0.1}, net->parameters());
  const auto pattern = std::make_shared<SparsifyCallback>(
      sparsity::SparsifyOptions{.pattern = sparsity::parse_pattern("2:4"), .keep_classifier = true});
  Trainer(net, *optimizer, loader(), {.epochs = 2, .callbacks = {pattern}}).fit();
  for (const char* name : {"0.weight", "4.weight"}) {
    const at::Tensor runs = net->named_parameters()[name].reshape({-1, 4});
    EXPECT_TRUE(runs.eq(0).sum(1).eq(2).all().item<bool>()) << name;
  }
  EXPECT_EQ(zeros(net->named_parameters()["6.weight"]), 0);

  auto other = small_net();
  const auto second = make_optimizer({.learning_rate = 0.1}, other->parameters());
  const auto layers = std::make_shared<SparsifyCallback>(
      sparsity::SparsifyOptions{.sparsity = 0.5, .layers = {{"4", 0.25}}, .ignore = {"6"}});
  Trainer(other, *second, loader(), {.epochs = 2, .callbacks = {layers}}).fit();
  EXPECT_EQ(zeros(other->named_parameters()["0.weight"]), 64);
  EXPECT_EQ(zeros(other->named_parameters()["4.weight"]), 48);
  EXPECT_EQ(zeros(other->named_parameters()["6.weight"]), 0);
}

TEST(SparsifyCallback, GoesOnAsIfItHadNeverStopped) {
  const test::Scratch folder;
  const std::string path = folder / "training.pt";
  const auto train = [&](torch::nn::Sequential net, std::int64_t stop, bool resume, bool first) {
    const auto optimizer = make_optimizer({.learning_rate = 0.05}, net->parameters());
    std::vector<std::shared_ptr<Callback>> callbacks{
        std::make_shared<SparsifyCallback>(sparsity::SparsifyOptions{.sparsity = 0.6},
                                           SparsifySchedule{.frequency = 3}),
        std::make_shared<PruneCallback>(
            PrunerOptions{.pruning_ratio = 50, .context = Context::global, .schedule = Schedule::linear})};
    if (!first) std::swap(callbacks[0], callbacks[1]);
    callbacks.push_back(std::make_shared<test::StopAfter>(stop));
    Trainer trainer(net, *optimizer, loader(), {.epochs = 4, .callbacks = std::move(callbacks), .checkpoint = path});
    if (resume) trainer.resume(path);
    trainer.fit();
  };
  for (const bool first : {true, false}) {
    auto whole = small_net();
    train(whole, 1000, false, first);
    EXPECT_GT(zeros_of_weights(*whole), 0);
    for (const std::int64_t stop : {2, 14, 20, 33}) {
      train(small_net(), stop, false, first);
      auto fresh = small_net(99);
      train(fresh, 1000, true, first);
      expect_same(*whole, *fresh);
    }
  }
}

// A lottery ticket of single weights: train, keep the largest, back to the beginning, train those alone.
TEST(SparsifyCallback, TrainsTickets) {
  auto net = small_net();
  Ticket ticket = take_ticket(net, 0);
  const auto sparse = std::make_shared<SparsifyCallback>(
      sparsity::SparsifyOptions{.sparsity = 0.6, .context = sparsity::Context::global});
  const auto optimizer = make_optimizer({.learning_rate = 0.1}, net->parameters());
  Trainer(net, *optimizer, loader(), {.epochs = 3, .callbacks = {sparse}}).fit();
  ticket.masks = sparse->masks();
  reset_to_ticket(net, ticket);
  auto fresh = small_net();
  for (const auto& [name, mask] : ticket.masks) {
    const at::Tensor now = net->named_parameters()[name], then = fresh->named_parameters()[name];
    EXPECT_TRUE(now.equal(then * mask)) << name;
  }
  const auto again = make_optimizer({.learning_rate = 0.1}, net->parameters());
  const auto fixed = std::make_shared<SparsifyCallback>(FixedMasks{ticket.masks});
  const History history = Trainer(net, *again, loader(), {.epochs = 5, .callbacks = {fixed}}).fit();
  EXPECT_EQ(zeros_of_weights(*net), std::llround(0.6 * all_weights));
  EXPECT_LT(history.epochs.back().training_loss, 0.7 * history.epochs.front().training_loss);
  for (std::size_t i = 0; i < ticket.masks.size(); ++i)
    EXPECT_TRUE(fixed->masks()[i].second.equal(ticket.masks[i].second));
}

TEST(SparsifyCallback, SaysWhatIsWrong) {
  EXPECT_EQ(message([] { SparsifyCallback({.sparsity = 1.5}); }), "sparsity: expected 0 to 1, found 1.500000");
  EXPECT_EQ(message([] { SparsifyCallback(sparsity::SparsifyOptions{}, {.frequency = 0}); }),
            "frequency: expected a choice every 1 step or more, found 0");
  EXPECT_EQ(message([] { SparsifyCallback(sparsity::SparsifyOptions{}, {.window = {.start = 0.5, .end = 0.4}}); }),
            "pruning window: expected 0 <= start < end <= 1, found 0.500000 to 0.400000");
  const auto fit = [](std::shared_ptr<Callback> callback) {
    auto net = small_net();
    const auto optimizer = make_optimizer({}, net->parameters());
    return message([&] { Trainer(net, *optimizer, loader(), {.callbacks = {callback}}).fit(); });
  };
  EXPECT_NE(fit(std::make_shared<SparsifyCallback>(sparsity::SparsifyOptions{.ignore = {"nothing"}}))
                .find("no layer with weights of that name"),
            std::string::npos);
  EXPECT_EQ(fit(std::make_shared<SparsifyCallback>(FixedMasks{{{"0.weight", at::ones({2, 2}, at::kBool)}}})),
            "masks: \"0.weight\": expected bool 16x8, found Bool 2x2");
  EXPECT_EQ(fit(std::make_shared<SparsifyCallback>(FixedMasks{{{"9.weight", at::ones({2, 2}, at::kBool)}}})),
            "masks: expected masks of the model's weights, found one for \"9.weight\"");
}

// By hand: of the weights 1 -2 3 -4 in each of two layers the smallest half goes.
TEST(Masks, ChooseAndWriteZerosAtOnce) {
  torch::nn::Sequential net(torch::nn::Linear(torch::nn::LinearOptions(2, 2).bias(false)), torch::nn::ReLU(),
                            torch::nn::Linear(torch::nn::LinearOptions(2, 2).bias(false)));
  const std::vector<at::Tensor> weights = net->parameters();
  const at::Tensor values = at::tensor({1.F, -2.F, 3.F, -4.F}).view({2, 2});
  for (const at::Tensor& weight : weights) weight.detach().copy_(values);
  weights[1].detach().mul_(10);
  const std::vector<at::Tensor> example{at::ones({1, 2})};
  const NamedTensors masks = choose_masks(net, {.sparsity = 0.5}, example);
  ASSERT_EQ(masks.size(), 2U);
  const at::Tensor large = values.abs().ge(3);
  EXPECT_EQ(masks[0].first, "0.weight");
  EXPECT_TRUE(masks[0].second.equal(large) && masks[1].second.equal(large));
  EXPECT_EQ(zeros_of_weights(*net), 0);
  apply_masks(net, masks, example);
  EXPECT_TRUE(weights[1].detach().equal(10 * values * large));
  // Of all together those of the first layer go.
  const NamedTensors global = choose_masks(net, {.sparsity = 0.75, .context = sparsity::Context::global}, example);
  EXPECT_FALSE(global[0].second.any().item<bool>());
  EXPECT_EQ(message([&] {
              apply_masks(net, {{"0.weight", large.view({4})}}, example);
            }),
            "masks: \"0.weight\": expected bool 2x2, found Bool 4");
  EXPECT_EQ(message([&] {
              apply_masks(net, {{"1.weight", large}}, example);
            }),
            "masks: expected masks of the model's weights, found one for \"1.weight\"");
}

}  // namespace
}  // namespace coppice
