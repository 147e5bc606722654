#include "coppice/train/keep_best.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/train/optimizer.hpp"
#include "coppice/train/prune_callback.hpp"
#include "coppice/train/sparsify_callback.hpp"
#include "coppice/train/trainer.hpp"

#include "support/scratch.hpp"
#include "train/small.hpp"

namespace coppice {
namespace {

using test::blobs;
using test::small_net;

std::vector<at::Tensor> copies(const torch::nn::Module& module) {
  std::vector<at::Tensor> out;
  for (const at::Tensor& tensor : module.parameters()) out.push_back(tensor.detach().clone());
  for (const at::Tensor& tensor : module.buffers()) out.push_back(tensor.detach().clone());
  return out;
}

bool equal(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  bool same = a.size() == b.size();
  for (std::size_t i = 0; same && i < a.size(); ++i) same = a[i].equal(b[i]);
  return same;
}

/// What the module was at the end of every epoch.
struct Epochs : Callback {
  void after_epoch(Trainer& trainer) override { states.push_back(copies(trainer.model().module())); }
  std::vector<std::vector<at::Tensor>> states;
};

data::Loader loader() {
  return data::Loader(blobs(100), {.batch_size = 10, .seed = 3});
}

// Values that do not depend on the network, one an epoch: the validation is one batch.
Metric scripted(std::vector<double> values, bool higher_is_better) {
  return {"script",
          [values, i = std::size_t(0)](const std::vector<at::Tensor>&, const at::Tensor&) mutable {
            return at::scalar_tensor(values.at(i++), at::kDouble);
          },
          higher_is_better};
}

struct Result {
  std::vector<at::Tensor> end;
  std::vector<std::vector<at::Tensor>> epochs;
  std::optional<std::int64_t> best;
};

Result train(std::vector<double> values, bool higher_is_better, std::shared_ptr<Callback> more = nullptr) {
  auto net = small_net();
  const auto optimizer = make_optimizer({.learning_rate = 0.05}, net->parameters());
  const auto best = std::make_shared<KeepBest>("script");
  const auto epochs = std::make_shared<Epochs>();
  TrainerOptions options{.epochs = static_cast<std::int64_t>(values.size()),
                         .validation = data::Loader(blobs(30, 8), {.batch_size = 30}),
                         .metrics = {scripted(values, higher_is_better)},
                         .callbacks = {best, epochs}};
  if (more) options.callbacks.insert(options.callbacks.begin(), std::move(more));
  Trainer(net, *optimizer, loader(), std::move(options)).fit();
  return {copies(*net), epochs->states, best->epoch()};
}

TEST(KeepBest, PutsTheBestEpochBack) {
  const Result highest = train({0.1, 0.5, 0.5, 0.3}, true);
  EXPECT_EQ(highest.best, 1);
  EXPECT_TRUE(equal(highest.end, highest.epochs[1]));
  EXPECT_FALSE(equal(highest.end, highest.epochs[2]));
  const Result lowest = train({0.1, 0.5, 0.05, 0.3}, false);
  EXPECT_EQ(lowest.best, 2);
  EXPECT_TRUE(equal(lowest.end, lowest.epochs[2]));
  // What is no number is no best, and nothing is worse than it.
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const bool higher : {true, false}) EXPECT_EQ(train({nan, 0.5, nan}, higher).best, 1) << higher;
}

TEST(KeepBest, ForgetsWhatWasBeforeACut) {
  // Cuts at half of the way, at the beginning of the third epoch.
  const auto cut = std::make_shared<PruneCallback>(PrunerOptions{.pruning_ratio = 50, .schedule = Schedule::one_shot});
  const Result result = train({0.9, 0.8, 0.3, 0.4, 0.1}, true, cut);
  EXPECT_EQ(result.best, 3);
  EXPECT_TRUE(equal(result.end, result.epochs[3]));
  EXPECT_EQ(result.end[0].sizes(), (std::vector<std::int64_t>{8, 8}));
}

TEST(KeepBest, CountsNoEpochBeforeAllZerosAreThere) {
  const auto sparse = std::make_shared<SparsifyCallback>(sparsity::SparsifyOptions{.sparsity = 0.5},
                                                         SparsifySchedule{.window = {.start = 0, .end = 0.5}});
  const Result result = train({0.9, 0.8, 0.3, 0.4, 0.1}, true, sparse);
  EXPECT_EQ(result.best, 3);
  EXPECT_TRUE(equal(result.end, result.epochs[3]));
  EXPECT_EQ(2 * result.end[0].eq(0).sum().item<std::int64_t>(), result.end[0].numel());
}

TEST(KeepBest, GoesOnAsIfItHadNeverStopped) {
  const test::Scratch folder;
  const std::string path = folder / "training.pt";
  // A rate at which the validation goes up and down; the cut is behind KeepBest in the list.
  const auto run = [&](int stop, bool resume, std::int64_t& epoch) {
    auto net = small_net();
    const auto optimizer = make_optimizer({.learning_rate = 1, .momentum = 0.95}, net->parameters());
    const auto best = std::make_shared<KeepBest>("loss");
    const auto cut =
        std::make_shared<PruneCallback>(PrunerOptions{.pruning_ratio = 50}, PruneWindow{.start = 0, .end = 0.2});
    Trainer trainer(net, *optimizer, loader(),
                    {.epochs = 8,
                     .validation = data::Loader(blobs(30, 8)),
                     .callbacks = {best, cut, std::make_shared<test::StopAfter>(stop)},
                     .checkpoint = path});
    if (resume) trainer.resume(path);
    trainer.fit();
    epoch = best->epoch().value_or(-1);
    return copies(*net);
  };
  std::int64_t expected = -1, found = -1;
  const auto whole = run(1000, false, expected);
  ASSERT_GT(expected, 0);
  ASSERT_LT(expected, 7);
  for (const int stop : {4, 14, 35, 75}) {
    run(stop, false, found);
    EXPECT_TRUE(equal(run(1000, true, found), whole)) << stop;
    EXPECT_EQ(found, expected);
  }
}

TEST(KeepBest, SaysWhatItMisses) {
  const auto message = [](const std::string& metric, const BatchSource& validation) -> std::string {
    auto net = small_net();
    const auto optimizer = make_optimizer({}, net->parameters());
    try {
      Trainer(net, *optimizer, loader(), {.validation = validation, .callbacks = {std::make_shared<KeepBest>(metric)}})
          .fit();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message("accuracy", {}), "keep best: expected validation data to choose the best epoch by, found none");
  EXPECT_EQ(message("top5", data::Loader(blobs(30))), "keep best: expected a metric of the training, found \"top5\"");
  EXPECT_EQ(message("loss", data::Loader(blobs(30))), "no error");
}

}  // namespace
}  // namespace coppice
