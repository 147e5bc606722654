#include "coppice/train/iterative_pruner.hpp"

#include <cmath>
#include <sstream>
#include <utility>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/torch/export_onnx.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/train/distillation.hpp"
#include "coppice/train/keep_best.hpp"

#include "support/message.hpp"
#include "support/scratch.hpp"
#include "train/small.hpp"

namespace coppice {
namespace {

using test::blobs;
using test::expect_same;
using test::message;
using test::small_net;

torch::nn::Sequential wide_net() {
  torch::manual_seed(1);
  return torch::nn::Sequential(torch::nn::Linear(8, 64), torch::nn::ReLU(), torch::nn::Linear(64, 3));
}

data::Loader loader() {
  return data::Loader(blobs(100), {.batch_size = 10, .seed = 3});
}

IterativeOptions options(double ratio, int iterations) {
  return {.pruning = {.pruning_ratio = ratio},
          .iterations = iterations,
          .optimizer = {.learning_rate = 0.05},
          .tuning = {.epochs = 2, .validation = data::Loader(blobs(60, 7))}};
}

// Only how long it took may differ.
IterativeReport without_seconds(IterativeReport report) {
  for (IterativeRecord& record : report.iterations)
    for (EpochRecord& epoch : record.history.epochs) epoch.seconds = 0;
  return report;
}

TEST(IterativePruner, TakesTheSameShareOfWhatIsLeft) {
  auto net = wide_net();
  IterativePruner pruner(net, loader(), options(0.5, 5));
  const IterativeReport& report = pruner.run();
  ASSERT_EQ(report.iterations.size(), 5U);
  EXPECT_TRUE(report.reached);
  // 64 * 0.5^(k/5), cut to whole units: 55.7, 48.5, 42.2, 36.8, 32; a unit has 8 + 1 + 3 parameters, the end 3.
  const std::vector<std::int64_t> widths{55, 48, 42, 36, 32};
  for (std::size_t k = 0; k < 5; ++k) {
    const IterativeRecord& record = report.iterations[k];
    EXPECT_EQ(record.iteration, static_cast<int>(k) + 1);
    EXPECT_EQ(record.parameters, 12 * widths[k] + 3);
    EXPECT_EQ(record.macs, 11 * widths[k]);
    EXPECT_NEAR(record.rate, 1 - std::pow(0.5, 0.2), 1e-9);
    EXPECT_NEAR(record.sparsity, 1 - std::pow(0.5, (static_cast<double>(k) + 1) / 5), 1e-9);
    EXPECT_TRUE(record.accepted);
    EXPECT_EQ(record.after_cut->samples, 60);
    EXPECT_GT(record.after_tuning->value("accuracy"), report.base->value("accuracy"));
  }
  EXPECT_EQ(report.parameters_before, 12 * 64 + 3);
  EXPECT_EQ(report.parameters, 12 * 32 + 3);
  EXPECT_EQ(net->ptr(0)->as<torch::nn::LinearImpl>()->options.out_features(), 32);
}

TEST(IterativePruner, IsTheSameForTheSameSeed) {
  const auto run = [](std::uint64_t seed, IterativeReport& report) {
    auto net = small_net();
    IterativeOptions given = options(0.5, 3);
    given.tuning.seed = seed;
    report = without_seconds(IterativePruner(net, loader(), given).run());
    return net;
  };
  IterativeReport one, two, other;
  const auto a = run(5, one), b = run(5, two), c = run(6, other);
  expect_same(*a, *b);
  EXPECT_EQ(one.json(), two.json());
  EXPECT_FALSE(a->parameters()[0].equal(c->parameters()[0]));
}

// Accepts what a script says, and remembers what the model was whenever it was accepted.
struct Scripted {
  std::vector<bool> answers;
  std::shared_ptr<std::size_t> asked = std::make_shared<std::size_t>(0);
  bool operator()(const Evaluation&, const Evaluation&) const {
    const std::size_t i = (*asked)++;
    return i < answers.size() && answers[i];
  }
};

// Stops in the middle of the round of this number, from 0: a round has 20 steps.
struct StopInRound : Callback {
  explicit StopInRound(int number) : round(number) {}
  void before_fit(Trainer&) override { ++begun; }
  void after_batch(Trainer& trainer) override {
    if (begun == round + 1 && trainer.step() == 7) trainer.stop();
  }
  int round, begun = 0;
};

TEST(IterativePruner, GoesOnAsIfItHadNeverStopped) {
  const test::Scratch folder;
  const auto run = [&](std::uint64_t seed, std::shared_ptr<Callback> callback, const std::string& resume,
                       std::string& report) {
    auto net = small_net(seed);
    IterativeOptions given = options(0.5, 3);
    given.acceptable = [calls = 0](const Evaluation&, const Evaluation&) mutable { return ++calls != 2; };
    if (!resume.empty()) given.acceptable = [](const Evaluation&, const Evaluation&) { return true; };
    given.tuning.callbacks = {std::make_shared<KeepBest>("loss"), std::move(callback)};
    given.checkpoint = folder / "rounds.pt";
    IterativePruner pruner(net, loader(), given);
    if (!resume.empty()) pruner.resume(resume);
    report = without_seconds(pruner.run()).json();
    EXPECT_EQ(IterativeReport::parse(report).json(), report);
    return net;
  };
  std::string expected, stopped, found;
  const auto whole = run(1, std::make_shared<Callback>(), "", expected);
  // One, and one that is taken back; then half the rate leaves 0.71, 0.64, 0.57 and 0.51 of 16
  // and 12 units. The last step, to 0.5, takes no unit.
  EXPECT_EQ(IterativeReport::parse(expected).iterations.size(), 6U);
  for (const int round : {2, 3}) {
    run(1, std::make_shared<StopInRound>(round), "", stopped);
    // A fresh model's weights are others: those of the checkpoint count.
    const auto net = run(2, std::make_shared<Callback>(), folder / "rounds.pt", found);
    expect_same(*whole, *net);
    EXPECT_EQ(found, expected);
  }
}

TEST(IterativePruner, TheModelAsItCameTeachesEveryRound) {
  const test::Scratch folder;
  const auto run = [&](std::uint64_t seed, bool named, std::shared_ptr<Callback> callback, const std::string& resume) {
    auto net = small_net(seed);
    IterativeOptions given = options(0.5, 3);
    DistillationOptions distillation;
    if (named) distillation.teacher = frozen_copy(net, {at::ones({10, 8})});
    given.tuning.callbacks = {std::make_shared<DistillationCallback>(std::move(distillation)), std::move(callback)};
    given.checkpoint = folder / "rounds.pt";
    IterativePruner pruner(net, loader(), given);
    if (!resume.empty()) pruner.resume(resume);
    pruner.run();
    return net;
  };
  const auto named = run(1, true, std::make_shared<Callback>(), "");
  expect_same(*named, *run(1, false, std::make_shared<Callback>(), ""));
  run(1, false, std::make_shared<StopInRound>(1), "");
  expect_same(*named, *run(2, false, std::make_shared<Callback>(), folder / "rounds.pt"));
}

TEST(IterativePruner, RefusesCheckpointsOfOthers) {
  const test::Scratch folder;
  auto net = small_net();
  IterativeOptions given = options(0.5, 2);
  given.checkpoint = folder / "rounds.pt";
  IterativePruner(net, loader(), given).run();
  auto other = small_net();
  given.pruning.pruning_ratio = 0.4;
  EXPECT_EQ(message([&] { IterativePruner(other, loader(), given).resume(given.checkpoint); }),
            given.checkpoint + ": of other options: expected a target of 0.400000, found 0.500000");
  given.pruning.pruning_ratio = 0.5;
  auto wide = wide_net();
  EXPECT_NE(message([&] { IterativePruner(wide, loader(), given).resume(given.checkpoint); }), "no error");
  expect_same(*wide, *wide_net());
  expect_same(*other, *small_net());
}

TEST(IterativePruner, BacksOff) {
  auto net = wide_net();
  IterativeOptions given = options(0.75, 2);
  std::vector<at::Tensor> good;
  given.acceptable = Scripted{{true, false, false, true}};
  given.backoffs = 3;
  given.on_iteration = [&](const IterativeRecord& record) {
    if (!record.accepted) return;
    good.clear();
    for (const at::Tensor& parameter : net->parameters()) good.push_back(parameter.detach().clone());
  };
  IterativePruner pruner(net, loader(), given);
  const IterativeReport& report = pruner.run();
  // Half of what is left, a half again, a quarter, an eighth that is good, then an eighth and a sixteenth.
  const std::vector<double> rates{0.5, 0.5, 0.25, 0.125, 0.125, 0.0625};
  const std::vector<bool> accepted{true, false, false, true, false, false};
  const std::vector<std::int64_t> widths{32, 16, 24, 28, 24, 26};
  ASSERT_EQ(report.iterations.size(), rates.size());
  for (std::size_t i = 0; i < rates.size(); ++i) {
    EXPECT_NEAR(report.iterations[i].rate, rates[i], 1e-9);
    EXPECT_EQ(report.iterations[i].accepted, accepted[i]);
    EXPECT_EQ(report.iterations[i].parameters, 12 * widths[i] + 3);
  }
  EXPECT_FALSE(report.reached);
  EXPECT_EQ(report.parameters, 12 * 28 + 3);
  ASSERT_EQ(good.size(), net->parameters().size());
  for (std::size_t i = 0; i < good.size(); ++i) EXPECT_TRUE(net->parameters()[i].equal(good[i]));
  EXPECT_EQ(net->ptr(0)->as<torch::nn::LinearImpl>()->options.out_features(), 28);
}

TEST(IterativePruner, LeavesTheModelAloneWhenNothingIsAcceptable) {
  auto net = small_net();
  IterativeOptions given = options(0.5, 4);
  given.acceptable = Scripted{};
  given.backoffs = 1;
  const IterativeReport report = IterativePruner(net, loader(), given).run();
  EXPECT_EQ(report.iterations.size(), 2U);
  EXPECT_FALSE(report.reached);
  EXPECT_EQ(report.parameters, report.parameters_before);
  expect_same(*net, *small_net());
}

TEST(IterativePruner, PutsTheModelBackOnErrors) {
  auto net = small_net();
  IterativeOptions given = options(0.5, 4);
  given.acceptable = [](const Evaluation&, const Evaluation&) -> bool { throw Error("no"); };
  EXPECT_EQ(message([&] { IterativePruner(net, loader(), given).run(); }), "no");
  expect_same(*net, *small_net());
  given.tuning.callbacks = {std::make_shared<test::StopAfter>(1)};
  const IterativeReport report = IterativePruner(net, loader(), given).run();
  EXPECT_EQ(report.iterations.size(), 1U);
  EXPECT_FALSE(report.iterations[0].accepted);
  expect_same(*net, *small_net());
}

TEST(IterativePruner, MeetsATargetInAGraph) {
  auto net = std::make_shared<GraphModule>(onnx_model(small_net(), {at::ones({2, 8})}, {.dynamic_batch = true}));
  IterativeOptions given = options(0, 3);
  given.pruning = {.context = Context::global, .criterion = taylor, .target_macs = 0.4};
  given.pruning.calibration.loss = cross_entropy();
  given.tuning.callbacks = {std::make_shared<KeepBest>()};
  int asked = 0;
  given.acceptable = [&](const Evaluation&, const Evaluation&) { return ++asked != 2; };
  const IterativeReport report = IterativePruner(net, loader(), given).run();
  EXPECT_TRUE(report.reached);
  EXPECT_GT(report.iterations.size(), 4U);
  EXPECT_LE(report.macs, 0.4 * report.macs_before);
  EXPECT_GT(report.macs, 0.3 * report.macs_before);
  EXPECT_GT(report.iterations.back().after_tuning->value("accuracy"), 0.9);
}

// Which epochs are asked for.
struct Asked {
  data::Loader data;
  std::shared_ptr<std::vector<std::int64_t>> epochs = std::make_shared<std::vector<std::int64_t>>();
  void for_each(std::int64_t epoch, std::int64_t first, const std::function<bool(Batch)>& callback) const {
    epochs->push_back(epoch);
    data.for_each(epoch, first, callback);
  }
  std::int64_t batches() const { return data.batches(); }
};

TEST(IterativePruner, NeverRepeatsAnEpoch) {
  auto net = small_net();
  IterativeOptions given = options(0.5, 3);
  given.pruning.example_inputs = {at::ones({1, 8})};
  const Asked asked{loader()};
  IterativePruner(net, asked, given).run();
  EXPECT_EQ(*asked.epochs, (std::vector<std::int64_t>{0, 1, 2, 3, 4, 5}));
}

TEST(IterativePruner, TellsInEightyColumns) {
  auto net = small_net();
  IterativeOptions given = options(0.5, 2);
  given.tuning.metrics = {accuracy(), top_k(2)};
  given.acceptable = Scripted{{true}};
  given.backoffs = 0;
  const IterativeReport report = IterativePruner(net, loader(), given).run();
  std::istringstream lines(report.text());
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_LE(line.size(), 80U) << line;
  EXPECT_EQ(count, 5U);  // titles, a rule, the base, two rounds
  EXPECT_EQ(report.text().find("round    rate    gone  parameters  MACs  accuracy   tuned  kept\n"), 0U);
  EXPECT_NE(report.text().find(" no\n"), std::string::npos);
  EXPECT_NE(report.json().find("\"accepted\": false"), std::string::npos);
}

TEST(IterativePruner, SaysWhatIsWrong) {
  auto net = small_net();
  const auto refusal = [&](const std::function<void(IterativeOptions&)>& change) {
    IterativeOptions given = options(0.5, 3);
    change(given);
    return message([&] { IterativePruner(net, loader(), given); });
  };
  EXPECT_EQ(refusal([](auto& o) { o.iterations = 0; }), "iterations: expected 1 or more, found 0");
  EXPECT_EQ(refusal([](auto& o) { o.backoff = 1; }), "backoff: expected a factor above 0 and below 1, found 1.000000");
  EXPECT_EQ(refusal([](auto& o) { o.pruning.pruning_ratio = {}; }),
            "pruning ratio: expected above 0 and below 1, found 0.000000");
  EXPECT_EQ(refusal([](auto& o) {
              o.acceptable = Scripted{};
              o.tuning.validation = {};
            }),
            "acceptable: expected validation data to decide on, found none");
  EXPECT_EQ(refusal([](auto& o) { o.tuning.checkpoint = "a.pt"; }),
            "checkpoint of the tuning: expected none, for rounds have their own, found a.pt");
  EXPECT_EQ(message([&] { IterativePruner(net, {}, options(0.5, 3)); }), "training: expected data, found none");
}

}  // namespace
}  // namespace coppice
