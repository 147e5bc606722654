#include <cstdio>

#include <coppice/data/loader.hpp>
#include <coppice/train/optimizer.hpp>
#include <coppice/train/prune_callback.hpp>
#include <coppice/train/trainer.hpp>
#include <torch/nn/functional.h>
#include <torch/nn/modules.h>

// Trains and prunes from what was installed.
int main() {
  using namespace coppice;
  const at::Tensor labels = at::arange(64).remainder(2), points = at::randn({64, 4}) + 3 * labels.unsqueeze(1);
  const auto samples = std::make_shared<data::TensorDataset>(std::vector{points}, labels);
  torch::nn::Sequential model(torch::nn::Linear(4, 8), torch::nn::ReLU(), torch::nn::Linear(8, 2));
  const auto optimizer = make_optimizer({.learning_rate = 0.05}, model->parameters());
  const auto prune = std::make_shared<PruneCallback>(PrunerOptions{.pruning_ratio = 50});
  Trainer(model, *optimizer, data::Loader(samples, {.batch_size = 16}), {.epochs = 2, .callbacks = {prune}}).fit();
  const auto left = model->ptr<torch::nn::LinearImpl>(0)->options.out_features();
  std::printf("%lld of 8 neurons left\n", static_cast<long long>(left));
  return left == 4 ? 0 : 1;
}
