#include <cstdio>
#include <vector>

#include <coppice/torch/pruner.hpp>
#include <torch/nn/functional.h>
#include <torch/nn/modules.h>

int main() {
  torch::nn::Sequential model(torch::nn::Linear(4, 8), torch::nn::ReLU(), torch::nn::Linear(8, 2));
  std::vector<coppice::Batch> batches{{{at::randn({16, 4})}, at::randn({16, 2})}};
  coppice::Pruner(model, {.pruning_ratio = 50, .criterion = coppice::taylor, .calibration = {batches, coppice::mse()}})
      .prune_model();
  const auto left = model->ptr<torch::nn::LinearImpl>(0)->options.out_features();
  std::printf("%lld of 8 neurons left\n", static_cast<long long>(left));
  return left == 4 ? 0 : 1;
}
