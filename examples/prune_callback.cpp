// Pruning while a network learns: 40 % of the filters go along a one-cycle schedule.
//   prune_callback [SAMPLES [EPOCHS]]      (default: 6,000 pictures of Fashion-MNIST, 10 epochs)
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <coppice/data/loader.hpp>
#include <coppice/data/read.hpp>
#include <coppice/torch/graph_module.hpp>
#include <coppice/torch/metrics.hpp>
#include <coppice/train/optimizer.hpp>
#include <coppice/train/prune_callback.hpp>
#include <coppice/train/trainer.hpp>
#include <coppice/zoo/zoo.hpp>
#include <torch/torch.h>

using namespace coppice;

namespace {

void print_epoch(const EpochRecord& epoch) {
  std::printf("%5lld  %10.4f  %10.4f  %8.4f\n", static_cast<long long>(epoch.epoch), epoch.training_loss,
              *epoch.validation->loss, epoch.validation->value("accuracy"));
}

void run(const std::string& samples, std::int64_t epochs) {
  // 1. Setup and baseline
  const auto [training, held_out] = data::hold_out(data::read("fashion-mnist:" + samples), 0.1);
  // 92 steps an epoch, as in the tutorial that this follows.
  const data::Loader batches(training, {.batch_size = (training->size() + 91) / 92}),
      validation(held_out, {.batch_size = 500});
  GraphModule model(zoo::build("fashion_resnet20"));
  const auto optimizer = make_optimizer({.learning_rate = 0.05, .weight_decay = 5e-4}, model.parameters());
  const LearningRate one_cycle_rate{.schedule = RateSchedule::one_cycle};
  std::printf("epoch  train_loss  valid_loss  accuracy\n");
  Trainer(model, *optimizer, batches,
          {.epochs = 1, .learning_rate = one_cycle_rate, .validation = validation, .on_epoch = print_epoch})
      .fit();
  const std::vector<at::Tensor> example{at::zeros({1, 1, 28, 28})};
  const Metrics base = measure(model, example, 0);

  // 2. Training with PruneCallback
  const auto prune = std::make_shared<PruneCallback>(PrunerOptions{
      .pruning_ratio = 40, .context = Context::global, .criterion = large_final, .schedule = Schedule::one_cycle});
  const auto fresh = make_optimizer({.learning_rate = 0.05, .weight_decay = 5e-4}, model.parameters());
  Trainer trainer(model, *fresh, batches,
                  {.epochs = epochs,
                   .learning_rate = one_cycle_rate,
                   .validation = validation,
                   .callbacks = {prune},
                   .on_epoch = print_epoch});
  const History& history = trainer.fit();
  std::printf("%s", describe_ignored(*prune->pruner()).c_str());
  for (const EpochRecord& epoch : history.epochs)
    std::printf("Sparsity at the end of epoch %lld: %.2f%%\n", static_cast<long long>(epoch.epoch),
                epoch.values.front().second);

  // 3. Measuring compression
  const Metrics pruned = measure(model, example, 0);
  std::printf("The pruned model has %.2f the compute of original model\n", pruned.macs / base.macs);
  std::printf("The pruned model has %.2f the parameters of original model\n",
              static_cast<double>(pruned.parameters) / static_cast<double>(base.parameters));
}

}  // namespace

int main(int count, char** arguments) {
  try {
    run(count > 1 ? arguments[1] : "6000", count > 2 ? std::atoi(arguments[2]) : 10);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}
