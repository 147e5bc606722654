// What the training loop costs beside one written by hand, and pruning in it where nothing is cut: times the loop by
// hand, and times Trainer. Rounds of the three take turns; the figures are ratios of medians from this one run.
//   train_bench [ROUNDS]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>

#include <torch/torch.h>

#include "coppice/data/loader.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/latency.hpp"
#include "coppice/train/optimizer.hpp"
#include "coppice/train/prune_callback.hpp"
#include "coppice/train/trainer.hpp"
#include "coppice/zoo/zoo.hpp"

namespace {

using namespace coppice;

constexpr std::int64_t batch_size = 32;

struct Contest {
  Contest(const char* architecture, std::vector<std::int64_t> shape, std::int64_t count) : samples(count) {
    torch::manual_seed(1);
    shape.insert(shape.begin(), samples);
    dataset = std::make_shared<data::TensorDataset>(std::vector{at::randn(shape)}, torch::randint(10, {samples}));
    for (auto& model : models) {
      model = std::make_shared<GraphModule>(zoo::build(architecture));
      optimizers.push_back(make_optimizer({.learning_rate = 1e-4}, model->parameters()));
    }
  }

  void by_hand() {
    GraphModule& model = *models[0];
    model.train();
    const at::Tensor order = at::randperm(samples);
    for (std::int64_t begin = 0; begin < samples; begin += batch_size) {
      const Batch batch = dataset->gather(order.narrow(0, begin, batch_size));
      optimizers[0]->zero_grad();
      const at::Tensor loss = torch::nn::functional::cross_entropy(model.forward(batch.inputs[0]), batch.target);
      loss.backward();
      optimizers[0]->step();
      sum += loss.item<double>();
    }
  }

  void by_trainer(std::size_t which, std::vector<std::shared_ptr<Callback>> callbacks) {
    Trainer(models[which], *optimizers[which], data::Loader(dataset, {.batch_size = batch_size}),
            {.callbacks = std::move(callbacks)})
        .fit();
  }

  std::int64_t samples;
  data::DatasetPtr dataset;
  std::shared_ptr<GraphModule> models[3];
  std::vector<std::unique_ptr<torch::optim::Optimizer>> optimizers;
  double sum = 0;
};

// A PruneCallback that is made once: what it costs is a step in which no unit is due.
struct Idle : PruneCallback {
  explicit Idle(PrunerOptions options) : PruneCallback(std::move(options), {.schedule = [](double) { return 0.0; }}) {}
  void before_fit(Trainer& trainer) override {
    if (!pruner()) PruneCallback::before_fit(trainer);
  }
};

void bench(const char* architecture, const std::vector<std::int64_t>& shape, std::int64_t samples, int rounds) {
  Contest contest(architecture, shape, samples);
  const auto idle = std::make_shared<Idle>(PrunerOptions{.pruning_ratio = 40, .context = Context::global});
  contest.by_trainer(2, {idle});
  std::vector<std::vector<double>> seconds(3);
  for (int round = 0; round < rounds + 2; ++round)
    for (int which = 0; which < 3; ++which) {
      const auto start = std::chrono::steady_clock::now();
      if (which == 0) contest.by_hand();
      if (which == 1) contest.by_trainer(1, {});
      if (which == 2) contest.by_trainer(2, {idle});
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
      if (round >= 2) seconds[static_cast<std::size_t>(which)].push_back(taken.count());
    }
  const double hand = summarize(seconds[0]).median, loop = summarize(seconds[1]).median,
               pruning = summarize(seconds[2]).median;
  std::printf("| `%s` | %.2f ms | %.3f x | %.3f x |\n", architecture, 1e3 * hand / (samples / batch_size), loop / hand,
              pruning / loop);
}

}  // namespace

int main(int count, char** arguments) {
  try {
    const int rounds = count > 1 ? std::atoi(arguments[1]) : 15;
    std::printf("| network | a step by hand | `Trainer` | with `PruneCallback`, nothing due |\n|---|--:|--:|--:|\n");
    bench("mlp", {784}, 12800, rounds);
    bench("fashion_resnet20", {1, 28, 28}, 640, rounds);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
