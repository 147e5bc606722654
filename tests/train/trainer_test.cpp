#include "coppice/train/trainer.hpp"

#include <cmath>
#include <filesystem>
#include <limits>
#include <numbers>

#include <ATen/autocast_mode.h>
#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/train/optimizer.hpp"
#include "coppice/zoo/zoo.hpp"

#include "support/message.hpp"
#include "support/scratch.hpp"
#include "train/small.hpp"

namespace coppice {
namespace {

using test::blobs;
using test::expect_same;
using test::message;
using test::small_net;

data::Loader loader() {
  return data::Loader(blobs(100), {.batch_size = 8, .seed = 3});
}

TEST(Trainer, DoesWhatALoopByHandDoes) {
  auto one = small_net(), two = small_net();
  // Dropout would need the same draws; everything else must agree bit for bit.
  for (auto* net : {&one, &two}) (*net)->ptr<torch::nn::DropoutImpl>(3)->options.p(0);
  torch::optim::SGD first(one->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(1e-3));
  torch::optim::SGD second(two->parameters(), torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(1e-3));
  Trainer trainer(one, first, loader(), {.epochs = 3, .learning_rate = {.schedule = RateSchedule::cosine}});
  const History& history = trainer.fit();

  two->train();
  int step = 0;
  std::vector<double> losses;
  for (int epoch = 0; epoch < 3; ++epoch) {
    double sum = 0;
    loader().for_each(epoch, 0, [&](const Batch& batch) {
      for (auto& group : second.param_groups())
        group.options().set_lr(0.1 * (0 + (1 - 0) * (1 + std::cos(std::numbers::pi * (step / 39.0))) / 2));
      ++step;
      second.zero_grad();
      const at::Tensor loss = torch::nn::functional::cross_entropy(two->forward(batch.inputs[0]), batch.target);
      loss.backward();
      second.step();
      sum += loss.item<double>() * static_cast<double>(batch.target.size(0));
      return true;
    });
    losses.push_back(sum / 100);
  }
  EXPECT_EQ(step, 39);
  expect_same(*one, *two);
  ASSERT_EQ(history.epochs.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_DOUBLE_EQ(history.epochs[i].training_loss, losses[i]);
  EXPECT_LT(losses[2], losses[0] / 2);
  EXPECT_EQ(history.epochs[2].step, 39);
}

TEST(Trainer, AccumulatesGradients) {
  // Two batches of 4 make the step of one batch of 8; the 13th group holds one batch.
  const auto train = [](std::int64_t batch, std::int64_t accumulate) {
    torch::manual_seed(1);
    torch::nn::Sequential net(torch::nn::Linear(8, 16), torch::nn::Tanh(), torch::nn::Linear(16, 3));
    torch::optim::SGD optimizer(net->parameters(), 0.1);
    Trainer trainer(net, optimizer, data::Loader(blobs(100), {.batch_size = batch, .shuffled = false}),
                    {.epochs = 2, .accumulate = accumulate});
    trainer.fit();
    EXPECT_EQ(trainer.step(), 26);
    return net;
  };
  const auto one = train(8, 1), two = train(4, 2);
  for (const auto& item : one->named_parameters())
    EXPECT_TRUE(item.value().allclose(two->named_parameters()[item.key()], 1e-4, 1e-6)) << item.key();
}

TEST(Trainer, ClipsGradients) {
  auto net = small_net();
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  struct Norms : Callback {
    void before_step(Trainer& trainer) override {
      double squares = 0;
      for (const at::Tensor& parameter : trainer.model().module().parameters())
        squares += parameter.grad().square().sum().item<double>();
      most = std::max(most, std::sqrt(squares));
    }
    double most = 0;
  };
  const auto norms = std::make_shared<Norms>();
  Trainer(net, optimizer, loader(), {.clip_norm = 0.01, .callbacks = {norms}}).fit();
  EXPECT_NEAR(norms->most, 0.01, 1e-5);
}

TEST(Trainer, TellsCallbacksInOrder) {
  struct Listener : Callback {
    void before_fit(Trainer&) override { said += "fit "; }
    void before_epoch(Trainer&) override { said += "epoch "; }
    void before_batch(Trainer&) override { said += "b"; }
    void after_loss(Trainer& trainer) override {
      EXPECT_TRUE(trainer.loss().defined());
      said += "l";
    }
    void after_backward(Trainer&) override { said += "g"; }
    void before_step(Trainer&) override { said += "s"; }
    void after_step(Trainer&) override { said += "S"; }
    void after_batch(Trainer&) override { said += "B "; }
    void after_epoch(Trainer& trainer) override {
      trainer.record().values.emplace_back("mine", 5);
      said += "Epoch ";
    }
    void after_fit(Trainer&) override { said += "Fit"; }
    std::string said;
  };
  const auto listener = std::make_shared<Listener>();
  auto net = small_net();
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  Trainer trainer(net, optimizer, data::Loader(blobs(9), {.batch_size = 3}),
                  {.accumulate = 2, .validation = data::Loader(blobs(30)), .callbacks = {listener}});
  const History& history = trainer.fit();
  EXPECT_EQ(listener->said, "fit epoch blgB blgsSB blgsSB Epoch Fit");
  ASSERT_TRUE(history.epochs[0].validation);
  EXPECT_EQ(history.epochs[0].validation->samples, 30);
  EXPECT_NE(
      history.csv().find("epoch,step,learning_rate,training_loss,validation_loss,accuracy,mine,seconds\n0,2,0.1,"),
      std::string::npos);
  const History again = History::parse(history.json());
  EXPECT_EQ(again.json(), history.json());
  EXPECT_EQ(again.csv(), history.csv());
}

TEST(Trainer, GoesOnAsIfItHadNeverStopped) {
  const auto options = [](const std::string& path) {
    return TrainerOptions{.epochs = 3,
                          .learning_rate = {.schedule = RateSchedule::one_cycle},
                          .validation = data::Loader(blobs(30, 8)),
                          .checkpoint = path,
                          .checkpoint_steps = 5};
  };
  for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adam, OptimizerKind::adamw}) {
    const test::Scratch folder;
    const std::string path = folder / "training.pt";
    auto whole = small_net();
    const auto first =
        make_optimizer({.kind = kind, .weight_decay = 1e-3, .decay_vectors = false}, whole->parameters());
    Trainer uninterrupted(whole, *first, loader(), options(folder / "other.pt"));
    uninterrupted.fit();
    for (const int stop : {1, 7, 13, 20, 38}) {
      auto net = small_net();
      const auto second =
          make_optimizer({.kind = kind, .weight_decay = 1e-3, .decay_vectors = false}, net->parameters());
      TrainerOptions stopping = options(path);
      stopping.callbacks = {std::make_shared<test::StopAfter>(stop)};
      Trainer trainer(net, *second, loader(), stopping);
      trainer.fit();
      EXPECT_TRUE(trainer.stopped());
      EXPECT_EQ(trainer.step(), stop);
      const std::string kept = folder / "kept.pt";
      std::filesystem::copy_file(path, kept, std::filesystem::copy_options::overwrite_existing);
      trainer.fit();
      expect_same(*whole, *net);

      auto fresh = small_net(99);
      const auto third =
          make_optimizer({.kind = kind, .weight_decay = 1e-3, .decay_vectors = false}, fresh->parameters());
      stopping.callbacks = {std::make_shared<test::StopAfter>(0)};
      Trainer resumed(fresh, *third, loader(), stopping);
      resumed.resume(kept);
      EXPECT_EQ(resumed.step(), stop);
      const History& history = resumed.fit();
      EXPECT_FALSE(resumed.stopped());
      expect_same(*whole, *fresh);
      ASSERT_EQ(history.epochs.size(), 3U);
      for (std::size_t i = 0; i < 3; ++i) {
        const EpochRecord &a = history.epochs[i], &b = uninterrupted.history().epochs[i];
        EXPECT_EQ(a.training_loss, b.training_loss);
        EXPECT_EQ(a.learning_rate, b.learning_rate);
        EXPECT_EQ(a.validation->metrics, b.validation->metrics);
      }
    }
  }
}

// Remembers what type its first layer computed in.
struct Typed : torch::nn::Module {
  Typed() {
    torch::manual_seed(2);
    one = register_module("one", torch::nn::Linear(8, 32));
    two = register_module("two", torch::nn::Linear(32, 3));
  }
  at::Tensor forward(const at::Tensor& input) {
    const at::Tensor hidden = one(input);
    seen = hidden.scalar_type();
    return two(hidden.relu());
  }
  torch::nn::Linear one{nullptr}, two{nullptr};
  at::ScalarType seen = at::kDouble;
};

TEST(Trainer, ComputesInBfloat16) {
  struct Types : Callback {
    void after_loss(Trainer& trainer) override {
      EXPECT_EQ(trainer.outputs().front().scalar_type(), at::kFloat);
      EXPECT_EQ(trainer.loss().scalar_type(), at::kFloat);
    }
    void before_step(Trainer& trainer) override {
      for (const at::Tensor& parameter : trainer.model().module().parameters()) {
        EXPECT_EQ(parameter.scalar_type(), at::kFloat);
        EXPECT_EQ(parameter.grad().scalar_type(), at::kFloat);
      }
    }
  };
  const auto train = [](Precision precision, at::ScalarType expected) {
    const auto net = std::make_shared<Typed>();
    const auto optimizer = make_optimizer({.learning_rate = 0.1}, net->parameters());
    Trainer trainer(net, *optimizer, loader(),
                    {.epochs = 5, .precision = precision, .callbacks = {std::make_shared<Types>()}});
    const History history = trainer.fit();
    EXPECT_EQ(net->seen, expected);
    EXPECT_FALSE(at::autocast::is_cpu_enabled());
    return std::make_pair(net, history.epochs.back().training_loss);
  };
  const auto [full, full_loss] = train(Precision::float32, at::kFloat);
  const auto [reduced, reduced_loss] = train(Precision::bfloat16, at::kBFloat16);
  EXPECT_LT(reduced_loss, 0.2);
  // Eight bits of mantissa: near, but not the same.
  EXPECT_NEAR(reduced_loss, full_loss, 0.02);
  EXPECT_FALSE(full->one->weight.equal(reduced->one->weight));
}

TEST(Trainer, ComputesGraphsInBfloat16) {
  GraphModule module(zoo::build("fashion_resnet20", 1));
  torch::manual_seed(3);
  const auto pictures = std::make_shared<data::TensorDataset>(std::vector{at::randn({32, 1, 28, 28})},
                                                              at::arange(32, at::kLong).remainder(10));
  const data::Loader batches(pictures, {.batch_size = 16});
  const auto optimizer = make_optimizer({.learning_rate = 0.05}, module.parameters());
  Trainer trainer(module, *optimizer, batches, {.epochs = 6, .precision = Precision::bfloat16});
  const History& history = trainer.fit();
  EXPECT_LT(history.epochs.back().training_loss, 0.7 * history.epochs.front().training_loss);
}

TEST(Trainer, EndsAfterSteps) {
  auto net = small_net();
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  Trainer trainer(net, optimizer, loader(), {.steps = 17});
  EXPECT_EQ(trainer.fit().epochs.size(), 2U);
  EXPECT_EQ(trainer.step(), 17);
  EXPECT_EQ(trainer.steps(), 17);
}

TEST(Trainer, GoesOnBehindTheLastStep) {
  const test::Scratch folder;
  const std::string path = folder / "training.pt";
  // The last checkpoint is of the last step: of 17, within an epoch, and of 26, at the end of one.
  for (const TrainerOptions& length : {TrainerOptions{.steps = 17}, TrainerOptions{.epochs = 2}}) {
    TrainerOptions options = length;
    options.checkpoint = path;
    options.checkpoint_steps = length.steps ? 17 : 13;
    auto net = small_net(), fresh = small_net(9);
    torch::optim::SGD first(net->parameters(), 0.1), second(fresh->parameters(), 0.1);
    Trainer whole(net, first, loader(), options), resumed(fresh, second, loader(), options);
    whole.fit();
    resumed.resume(path);
    const History& history = resumed.fit();
    ASSERT_EQ(history.epochs.size(), 2U);
    EXPECT_EQ(history.epochs[1].step, whole.step());
    EXPECT_EQ(history.epochs[1].training_loss, whole.history().epochs[1].training_loss);
    expect_same(*net, *fresh);
  }
}

TEST(Trainer, LeavesTheOptimizerItsRate) {
  auto net = small_net();
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  for (int i = 0; i < 2; ++i) {
    Trainer trainer(net, optimizer, loader(), {.epochs = 2, .learning_rate = {.schedule = RateSchedule::cosine}});
    EXPECT_NEAR(trainer.fit().epochs[0].learning_rate, 0.0566, 1e-3) << i;
    EXPECT_EQ(optimizer.param_groups()[0].options().get_lr(), 0.1);
  }
}

TEST(Trainer, GoesOnAfterAHeldOutLossThatIsNoNumber) {
  const test::Scratch folder;
  const std::string path = folder / "training.pt";
  const auto sound = blobs(30, 8)->gather(at::arange(30));
  at::Tensor inputs = sound.inputs[0].clone();
  inputs[0].fill_(std::numeric_limits<float>::quiet_NaN());
  const data::Loader damaged(std::make_shared<data::TensorDataset>(std::vector{inputs}, sound.target));
  auto net = small_net();
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  const TrainerOptions options{
      .epochs = 2, .validation = damaged, .callbacks = {std::make_shared<test::StopAfter>(20)}, .checkpoint = path};
  Trainer(net, optimizer, loader(), options).fit();
  Trainer resumed(net, optimizer, loader(), options);
  resumed.resume(path);
  EXPECT_TRUE(std::isnan(*resumed.history().epochs.at(0).validation->loss));
  EXPECT_EQ(resumed.fit().epochs.size(), 2U);
}

TEST(Trainer, TakesLibtorchsLoaders) {
  auto net = small_net();
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  struct Points : torch::data::datasets::Dataset<Points> {
    torch::data::Example<> get(std::size_t i) override {
      return {all.inputs[0][static_cast<long>(i)], all.target[static_cast<long>(i)]};
    }
    torch::optional<std::size_t> size() const override { return 100; }
    Batch all = blobs(100)->gather(at::arange(100));
  };
  auto points = Points().map(torch::data::transforms::Stack<>());
  auto batches = torch::data::make_data_loader<torch::data::samplers::RandomSampler>(std::move(points), 8);
  Trainer trainer(net, optimizer, *batches, {.epochs = 3});
  const History& history = trainer.fit();
  EXPECT_EQ(trainer.steps_per_epoch(), 13);
  EXPECT_LT(history.epochs[2].training_loss, history.epochs[0].training_loss);
}

TEST(Trainer, SaysWhatIsWrong) {
  auto net = small_net();
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  EXPECT_EQ(message([&] { Trainer(net, optimizer, loader(), {.epochs = 0}); }), "epochs: expected 1 or more, found 0");
  EXPECT_EQ(message([&] { Trainer(net, optimizer, {}).fit(); }), "training: expected data, found none");
  EXPECT_EQ(message([&] { Trainer(net, optimizer, loader(), {.loss = mse()}).fit(); }),
            "epoch 1, batch 1: mse: expected a target of the output's shape 8x3, found 8");
  torch::optim::SGD wild(net->parameters(), 1e30);
  EXPECT_EQ(message([&] { Trainer(net, wild, loader()).fit(); }),
            "epoch 1, batch 2: loss: expected a finite number, found NaN");
  EXPECT_EQ(message([&] { Trainer(net, optimizer, loader(), {.checkpoint_steps = 5}); }),
            "checkpoint: expected a file to save to every 5 steps, found none");
}

TEST(Trainer, RefusesForeignCheckpoints) {
  const test::Scratch folder;
  const std::string path = folder / "training.pt";
  auto net = small_net();
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  Trainer trainer(net, optimizer, loader());
  trainer.fit();
  trainer.save(path);
  EXPECT_EQ(message([&] { Trainer(net, optimizer, loader()).save(path); }),
            path + ": expected a training that has begun, found one before fit()");
  Trainer other_rate(net, optimizer, loader(), {.learning_rate = {.schedule = RateSchedule::cosine}});
  EXPECT_EQ(message([&] { other_rate.resume(path); }),
            path + ": of another training: expected the rate schedule cosine, found constant");
  Trainer longer(net, optimizer, loader(), {.epochs = 2});
  EXPECT_EQ(message([&] { longer.resume(path); }), path + ": of another training: expected steps 26, found 13");
  torch::nn::Sequential other(torch::nn::Linear(8, 3));
  torch::optim::SGD others(other->parameters(), 0.1);
  Trainer foreign(other, others, loader());
  EXPECT_EQ(message([&] { foreign.resume(path); }), path + ": of another model: expected 2 tensors, found 11");
  EXPECT_NE(message([&] { trainer.resume(folder / "none.pt"); }), "no error");
}

TEST(LearningRate, FollowsItsFormula) {
  const auto factors = [](LearningRate rate, long long steps) {
    std::vector<double> out;
    for (long long step = 0; step < steps; ++step) out.push_back(rate.factor(step, steps));
    return out;
  };
  EXPECT_EQ(factors({}, 3), (std::vector<double>{1, 1, 1}));
  EXPECT_EQ(factors({.schedule = RateSchedule::step, .gamma = 0.5, .milestones = {0.5, 0.75}}, 8),
            (std::vector<double>{1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25}));
  EXPECT_EQ(factors({.warmup = 0.5}, 8), (std::vector<double>{0.25, 0.5, 0.75, 1, 1, 1, 1, 1}));
  const LearningRate cosine{.schedule = RateSchedule::cosine, .final = 0.1};
  EXPECT_DOUBLE_EQ(cosine.factor(0, 4), 1);
  EXPECT_DOUBLE_EQ(cosine.factor(2, 4), 0.55);
  const LearningRate cycle{.schedule = RateSchedule::one_cycle};
  EXPECT_NEAR(cycle.factor(0, 100), 0.04, 1e-15);
  EXPECT_DOUBLE_EQ(cycle.factor(25, 100), 1);
  EXPECT_NEAR(cycle.factor(99, 100), 1e-5 + (1 - 1e-5) * (1 + std::cos(std::numbers::pi * 74 / 75)) / 2, 1e-12);
  EXPECT_EQ(parse_rate_schedule("one_cycle"), RateSchedule::one_cycle);
  EXPECT_THROW(parse_rate_schedule("sine"), Error);
  EXPECT_THROW(LearningRate{.warmup = 1}.factor(0, 1), Error);
}

TEST(Metrics, AgreeWithCountsByHand) {
  const at::Tensor logits = at::tensor({3., 2., 1., 0., 1., 3., 2., 0.}).reshape({2, 4});
  const at::Tensor target = at::tensor({1, 1}, at::kLong);
  EXPECT_DOUBLE_EQ(accuracy().mean({logits}, target).item<double>(), 0.5);
  EXPECT_DOUBLE_EQ(top_k(2).mean({logits}, target).item<double>(), 1);
  EXPECT_DOUBLE_EQ(top_k(1).mean({logits}, at::tensor({2, 2}, at::kLong)).item<double>(), 0);
  EXPECT_THROW(top_k(5).mean({logits}, target), Error);
  EXPECT_THROW(top_k(0), Error);
  // A language model: three positions, whose classes come last.
  const at::Tensor rows = at::tensor({1., 9., 8., 2., 3., 7.}).reshape({1, 3, 2}), next = at::zeros({1, 3}, at::kLong);
  EXPECT_DOUBLE_EQ(accuracy().mean({rows}, next).item<double>(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(accuracy().mean({rows.movedim(2, 1)}, next).item<double>(), 1.0 / 3);
  EXPECT_DOUBLE_EQ(top_k(2).mean({rows}, next).item<double>(), 1);
}

// A model that gives what it is given: logits.
struct Same : torch::nn::Module {
  at::Tensor forward(const at::Tensor& x) { return x; }
};

TEST(Metrics, PerplexityIsOfAllTokensNotTheMeanOfBatches) {
  // Probabilities 1/2, 1/4 and 1/2 | 1/8, 1/2, 1 of the tokens that follow: e^mean = 2^((1 + 2 + 1 + 3 + 1 + 0) / 6).
  const auto row = [](std::vector<double> right) {
    std::vector<double> out;
    for (const double p : right) out.insert(out.end(), {std::log(p), std::log(1 - p + 1e-300)});
    return at::tensor(out, at::kDouble).reshape({1, 3, 2});
  };
  const at::Tensor next = at::zeros({1, 3}, at::kLong);
  const auto model = std::make_shared<Same>();
  const std::vector<Batch> data{{{row({0.5, 0.25, 0.5})}, next}, {{row({0.125, 0.5, 1})}, next}};
  const Evaluation found = evaluate(model, data, {}, {perplexity(), accuracy()});
  EXPECT_NEAR(found.value("perplexity"), std::pow(2, 8.0 / 6), 1e-12);
  EXPECT_FALSE(perplexity().higher_is_better);
  // [N, classes, LENGTH] too; but class numbers are needed.
  EXPECT_NEAR(perplexity().mean({row({0.5, 0.25, 0.5}).movedim(2, 1)}, next).item<double>(), std::log(2) * 4 / 3,
              1e-12);
  EXPECT_THROW(perplexity().mean({at::zeros({2, 3})}, at::zeros({2, 3})), Error);
  EXPECT_THROW(perplexity().mean({at::zeros({2, 3})}, {}), Error);
}

}  // namespace
}  // namespace coppice
