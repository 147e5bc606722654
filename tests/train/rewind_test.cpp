#include "coppice/train/rewind.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/torch/pruner.hpp"
#include "coppice/train/lottery.hpp"
#include "coppice/train/optimizer.hpp"

#include "support/message.hpp"
#include "support/scratch.hpp"
#include "train/small.hpp"

namespace coppice {
namespace {

using test::blobs;
using test::expect_same;
using test::small_net;

data::Loader loader() {
  return data::Loader(blobs(100), {.batch_size = 10, .shuffled = false});
}

// Without random numbers, so that trainings can be compared.
torch::nn::Sequential certain_net() {
  auto net = small_net();
  net->ptr<torch::nn::DropoutImpl>(3)->options.p(0);
  return net;
}

// Two layers of known weights, and the plan that keeps the units 1 and 2 of three.
torch::nn::Sequential counted() {
  torch::nn::Sequential net(torch::nn::Linear(1, 3), torch::nn::Linear(3, 1));
  const at::NoGradGuard no_gradients;
  for (at::Tensor& parameter : net->parameters())
    parameter.copy_(at::arange(1, 1 + parameter.numel()).view_as(parameter));
  return net;
}

TEST(Rewound, GoesOnWithTheRateOfThatEpoch) {
  const LearningRate cosine{.schedule = RateSchedule::cosine, .warmup = 0.1};
  const LearningRate cycle{.schedule = RateSchedule::one_cycle};
  const LearningRate steps{.schedule = RateSchedule::step, .milestones = {0.3, 0.8}};
  for (const LearningRate& rate : {cosine, cycle, steps}) {
    for (const int epoch : {0, 1, 3, 9}) {
      const TrainerOptions rest = rewound({.epochs = 10, .learning_rate = rate}, epoch);
      EXPECT_EQ(rest.epochs, 10 - epoch);
      for (int step = 0; step < 7 * (10 - epoch); ++step)
        EXPECT_DOUBLE_EQ(rest.learning_rate.factor(step, 7 * rest.epochs), rate.factor(7 * epoch + step, 70));
      if (epoch == 0) continue;
      const TrainerOptions before = up_to({.epochs = 10, .learning_rate = rate}, epoch);
      EXPECT_EQ(before.epochs, epoch);
      for (int step = 0; step < 7 * epoch; ++step)
        EXPECT_DOUBLE_EQ(before.learning_rate.factor(step, 7 * epoch), rate.factor(step, 70));
    }
  }
  // From epoch 2 to before 5.
  const TrainerOptions middle = up_to(rewound({.epochs = 10, .learning_rate = cosine}, 2), 3);
  EXPECT_EQ(middle.epochs, 3);
  EXPECT_DOUBLE_EQ(middle.learning_rate.factor(0, 21), cosine.factor(14, 70));
  EXPECT_DOUBLE_EQ(middle.learning_rate.factor(20, 21), cosine.factor(34, 70));
  EXPECT_THROW(up_to({.epochs = 3}, 0), Error);
  EXPECT_THROW(up_to({.epochs = 3}, 4), Error);
  // Rewinding a training that was rewound.
  const TrainerOptions twice = rewound(rewound({.epochs = 10, .learning_rate = cosine}, 2), 3);
  EXPECT_EQ(twice.epochs, 5);
  EXPECT_DOUBLE_EQ(twice.learning_rate.factor(0, 5), cosine.factor(5, 10));
  EXPECT_THROW(rewound({.epochs = 3}, 3), Error);
  EXPECT_THROW(rewound({.epochs = 3}, -1), Error);
  EXPECT_THROW(rewound({.epochs = 3, .steps = 20}, 1), Error);
  EXPECT_THROW(RewindPoint(-1), Error);
}

TEST(Ticket, GivesSurvivorsTheirWeightsBack) {
  auto net = counted();
  const auto optimizer = make_optimizer({.learning_rate = 0.1}, net->parameters());
  const Ticket ticket = take_ticket(net, 0);
  net->forward(at::ones({2, 1})).sum().backward();
  optimizer->step();
  Pruner pruner(net, {.pruning_ratio = 30, .optimizer = optimizer.get()});
  pruner.prune_model();
  ASSERT_EQ(net->ptr<torch::nn::LinearImpl>(0)->weight.size(0), 2);
  ASSERT_EQ(pruner.plan().cuts.at(0).kept, (std::vector<std::int64_t>{1, 2}));
  EXPECT_FALSE(optimizer->state().empty());
  reset_to_ticket(net, ticket, pruner.plan(), optimizer.get());
  EXPECT_TRUE(optimizer->state().empty());
  const auto weights = net->named_parameters();
  EXPECT_TRUE(weights["0.weight"].equal(at::tensor({2.0F, 3.0F}).view({2, 1})));
  EXPECT_TRUE(weights["0.bias"].equal(at::tensor({2.0F, 3.0F})));
  EXPECT_TRUE(weights["1.weight"].equal(at::tensor({2.0F, 3.0F}).view({1, 2})));
  EXPECT_TRUE(weights["1.bias"].equal(at::tensor({1.0F})));
  // Without the plan the widths differ, and nothing may change.
  const at::NoGradGuard no_gradients;
  net->ptr<torch::nn::LinearImpl>(0)->bias.fill_(7);
  EXPECT_THROW(reset_to_ticket(net, ticket), Error);
  EXPECT_TRUE(weights["0.bias"].equal(at::tensor({7.0F, 7.0F})));
}

TEST(Ticket, IsAFile) {
  const test::Scratch folder;
  auto net = counted();
  Ticket ticket = take_ticket(net, 3);
  ticket.masks = {{"1.weight", at::tensor({1, 0, 1}).view({1, 3})}};
  save_ticket(ticket, folder / "ticket.pt");
  const Ticket again = load_ticket(folder / "ticket.pt");
  EXPECT_EQ(again.epoch, 3);
  const at::NoGradGuard no_gradients;
  for (at::Tensor& parameter : net->parameters()) parameter.zero_();
  reset_to_ticket(net, again);
  EXPECT_TRUE(net->named_parameters()["0.bias"].equal(at::tensor({1.0F, 2.0F, 3.0F})));
  EXPECT_TRUE(net->named_parameters()["1.weight"].equal(at::tensor({1.0F, 0.0F, 3.0F}).view({1, 3})));
  EXPECT_THROW(load_ticket(folder / "none.pt"), Error);
  std::ofstream(folder / "text.pt") << "no archive";
  EXPECT_THROW(load_ticket(folder / "text.pt"), Error);
  torch::save(net, folder / "module.pt");
  EXPECT_THROW(load_ticket(folder / "module.pt"), Error);
  auto other = small_net();
  EXPECT_THROW(reset_to_ticket(other, again), Error);
}

// libtorch's loading leaves the states that an archive does not have.
TEST(RewindPoint, LeavesNothingOfTheEnd) {
  auto net = certain_net();
  const auto optimizer = make_optimizer({.kind = OptimizerKind::adam}, net->parameters());
  const auto point = std::make_shared<RewindPoint>(0);
  Trainer(net, *optimizer, loader(), {.epochs = 1, .callbacks = {point}}).fit();
  EXPECT_FALSE(optimizer->state().empty());
  point->restore(net, *optimizer);
  EXPECT_TRUE(optimizer->state().empty());
}

// With weights, momenta and rate of then, the same steps follow: the end is the same, bit for bit.
TEST(RewindPoint, RepeatsTheRestOfATraining) {
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adam}) {
    const TrainerOptions options{.epochs = 4, .learning_rate = {.schedule = RateSchedule::cosine}};
    auto net = certain_net();
    const auto optimizer = make_optimizer({.kind = kind}, net->parameters());
    const auto point = std::make_shared<RewindPoint>(2);
    TrainerOptions first = options;
    first.callbacks = {point};
    EXPECT_THROW(point->ticket(), Error);
    Trainer(net, *optimizer, loader(), first).fit();
    ASSERT_TRUE(point->reached());
    const Ticket end = take_ticket(net);

    const auto fresh = make_optimizer({.kind = kind}, net->parameters());
    reset_to_ticket(net, point->ticket(), {}, fresh.get());
    point->restore(net, *fresh);
    EXPECT_EQ(fresh->param_groups()[0].options().get_lr(), OptimizerOptions().learning_rate);
    Trainer(net, *fresh, loader(), rewound(options, 2)).fit();
    const NamedTensors found = take_ticket(net).weights;
    ASSERT_EQ(found.size(), end.weights.size());
    for (std::size_t i = 0; i < found.size(); ++i)
      EXPECT_TRUE(found[i].second.equal(end.weights[i].second)) << found[i].first;
  }
}

TEST(RewindPoint, CutsTheMomentaAlong) {
  auto net = counted();
  torch::optim::SGD optimizer(net->parameters(), torch::optim::SGDOptions(0.01).momentum(0.9));
  const auto point = std::make_shared<RewindPoint>(1);
  const std::vector<std::pair<at::Tensor, at::Tensor>> data{{at::ones({2, 1}), at::zeros({2, 1})}};
  // One step an epoch; the gradients of the sum are those of the first moment when the second epoch begins.
  const Loss sum = [](const std::vector<at::Tensor>& outputs, const at::Tensor&) { return outputs[0].sum(); };
  Trainer(net, optimizer, data, {.epochs = 2, .loss = sum, .callbacks = {point}}).fit();
  reset_to_ticket(net, point->ticket());
  Pruner pruner(net, {.pruning_ratio = 30});
  pruner.prune_model();
  ASSERT_EQ(pruner.plan().cuts.at(0).kept, (std::vector<std::int64_t>{1, 2}));
  torch::optim::SGD fresh(net->parameters(), torch::optim::SGDOptions(0.5).momentum(0.9));
  point->restore(net, fresh, pruner.plan());
  // The gradient of the first weights is the sum over two samples of the second weights: 2, 4, 6.
  struct Look : Callback {
    void after_step(Trainer& trainer) override {
      bias = trainer.model().module().named_parameters()["0.bias"].detach().clone();
    }
    at::Tensor bias;
  };
  const at::Tensor before = net->named_parameters()["0.bias"].detach().clone();
  const auto look = std::make_shared<Look>();
  Trainer(net, fresh, data,
          {.loss = [](const std::vector<at::Tensor>& outputs, const at::Tensor&) { return outputs[0].sum() * 0; },
           .callbacks = {look}})
      .fit();
  // The step without gradient takes 0.5 * 0.9 of the momentum.
  EXPECT_TRUE(look->bias.allclose(before - 0.45 * at::tensor({4.0F, 6.0F}), 1e-5, 1e-6)) << look->bias;
  EXPECT_THROW(point->restore(net, fresh), Error);
}

TEST(RewindPoint, IsPartOfACheckpoint) {
  const test::Scratch folder;
  const std::string path = folder / "training.pt";
  const auto make = [&](std::vector<std::shared_ptr<Callback>> callbacks) {
    return TrainerOptions{.epochs = 4, .callbacks = std::move(callbacks), .checkpoint = path};
  };
  auto net = certain_net(), other = certain_net();
  const auto one = make_optimizer({}, net->parameters()), two = make_optimizer({}, other->parameters());
  const auto before = std::make_shared<RewindPoint>(1), after = std::make_shared<RewindPoint>(1);
  Trainer(net, *one, loader(), make({before, std::make_shared<test::StopAfter>(25)})).fit();
  Trainer again(other, *two, loader(), make({after, std::make_shared<Callback>()}));
  again.resume(path);
  ASSERT_TRUE(after->reached());
  reset_to_ticket(net, before->ticket());
  reset_to_ticket(other, after->ticket());
  expect_same(*net, *other);
  after->restore(other, *two);
  EXPECT_FALSE(two->state().empty());
}

TEST(Lottery, TrainsEveryRoundFromTheTicket) {
  auto net = small_net();
  struct Look : Callback {
    void before_epoch(Trainer& trainer) override {
      if (trainer.epoch() > 0) return;
      begun.push_back(take_ticket(trainer.model()));
      rates.push_back(trainer.options().learning_rate.factor(0, trainer.steps()));
    }
    std::vector<Ticket> begun;
    std::vector<double> rates;
  };
  const auto look = std::make_shared<Look>();
  LotteryOptions options{
      .optimizer = {.learning_rate = 0.05},
      .training = {.epochs = 4, .learning_rate = {.schedule = RateSchedule::cosine}, .callbacks = {look}},
      .pruning = {.pruning_ratio = 50, .iterative_steps = 2},
      .rewind_epoch = 1};
  Lottery lottery(net, data::Loader(blobs(100), {.batch_size = 10, .seed = 3}), options);
  EXPECT_THROW(lottery.ticket(), Error);
  const auto& rounds = lottery.run();
  ASSERT_EQ(rounds.size(), 3U);
  EXPECT_EQ(rounds[0].history.epochs.size(), 4U);
  EXPECT_EQ(rounds[2].history.epochs.size(), 3U);
  EXPECT_GT(rounds[0].macs, rounds[1].macs);
  EXPECT_EQ(net->ptr<torch::nn::LinearImpl>(0)->options.out_features(), 8);
  EXPECT_LT(rounds[2].history.epochs.back().training_loss, rounds[0].history.epochs.front().training_loss / 2);
  // Each round began with weights of the ticket: those of the last are among them.
  ASSERT_EQ(look->begun.size(), 3U);
  EXPECT_EQ(look->rates[1], LearningRate{.schedule = RateSchedule::cosine}.factor(10, 40));
  auto twin = small_net();
  Pruner(twin, {.plan = lottery.plan()}).prune_model();
  reset_to_ticket(twin, lottery.ticket(), lottery.plan());
  const auto expected = take_ticket(twin).weights;
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_TRUE(look->begun[2].weights[i].second.equal(expected[i].second)) << expected[i].first;
  EXPECT_THROW(lottery.run(), Error);
}

TEST(Lottery, MakesSingleWeightsZeroInRounds) {
  auto net = small_net();
  struct Look : Callback {
    void before_batch(Trainer& trainer) override {
      if (trainer.step() == 0) begun.push_back(take_ticket(trainer.model()));
    }
    void after_fit(Trainer& trainer) override { ended.push_back(take_ticket(trainer.model())); }
    std::vector<Ticket> begun, ended;
  };
  const auto look = std::make_shared<Look>();
  Lottery lottery(net, data::Loader(blobs(100), {.batch_size = 10, .seed = 3}),
                  {.optimizer = {.learning_rate = 0.05},
                   .training = {.epochs = 2, .callbacks = {look}},
                   .sparsify = sparsity::SparsifyOptions{.sparsity = 0.75, .context = sparsity::Context::global},
                   .rounds = 2});
  const auto& rounds = lottery.run();
  ASSERT_EQ(rounds.size(), 3U);
  // Half of what is left each round: of 128 + 192 + 36 weights 178 and then 267 go.
  for (const auto& [round, zeros] : {std::pair{0, 0}, {1, 178}, {2, 267}}) {
    std::int64_t of_weights = 0, of_all = 0;
    for (const auto& [name, tensor] : look->ended[static_cast<std::size_t>(round)].weights) {
      const std::int64_t found = tensor.eq(0).sum().item<std::int64_t>();
      of_weights += tensor.dim() == 2 ? found : 0;
      of_all += name.find("running") == std::string::npos ? found : 0;
    }
    EXPECT_EQ(of_weights, zeros);
    EXPECT_EQ(rounds[static_cast<std::size_t>(round)].nonzero, rounds[0].parameters - of_all);
  }
  const Ticket ticket = lottery.ticket();
  ASSERT_EQ(ticket.masks.size(), 3U);
  for (const auto& [name, mask] : ticket.masks) {
    const auto find = [&name = name](const Ticket& where) {
      for (const auto& [other, tensor] : where.weights)
        if (other == name) return tensor;
      return at::Tensor();
    };
    EXPECT_TRUE(find(look->begun[2]).equal(find(ticket) * mask)) << name;
    EXPECT_TRUE(find(look->ended[2]).ne(0).equal(mask)) << name;
    // What one round took, the next does not give back.
    EXPECT_FALSE((find(look->ended[1]).eq(0) & mask).any().item<bool>()) << name;
  }
}

TEST(Lottery, RefusesRoundsThatAPatternDoesNotHave) {
  const auto with = [](LotteryOptions options) {
    options.training.epochs = 1;
    Lottery(small_net(), loader(), options);
  };
  EXPECT_EQ(test::message([&] { with({.sparsify = sparsity::SparsifyOptions{}, .rounds = 0}); }),
            "lottery: expected 1 round or more, found 0");
  EXPECT_EQ(test::message([&] {
              with({.sparsify = sparsity::SparsifyOptions{.pattern = sparsity::parse_pattern("2:4")}, .rounds = 3});
            }),
            "lottery: expected 1 round with the pattern 2:4, found 3");
  const sparsity::SparsifyOptions largest{.criterion = importance::Criterion::small_final};
  EXPECT_EQ(test::message([&] { with({.sparsify = largest}); }).rfind("criterion small_final: expected one that", 0),
            0U);
  Ticket ticket = take_ticket(small_net());
  ticket.masks = {{"none.weight", at::ones({2}, at::kBool)}};
  EXPECT_EQ(test::message([&] { reset_to_ticket(small_net(), ticket); }),
            "ticket: expected masks of the model's weights, found one for \"none.weight\"");
}

TEST(Lottery, EndsWhenAsked) {
  auto net = small_net();
  LotteryOptions options{.training = {.epochs = 1}, .pruning = {.pruning_ratio = 50, .iterative_steps = 4}};
  options.go_on = [](const LotteryRound& round) { return round.round < 1; };
  EXPECT_EQ(Lottery(net, loader(), options).run().size(), 2U);
  options.rewind_epoch = 1;
  EXPECT_THROW(Lottery(net, loader(), options), Error);
}

}  // namespace
}  // namespace coppice
