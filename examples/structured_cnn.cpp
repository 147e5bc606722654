// Filter pruning of a simple CNN: convolutions with their batch norms, and the next layers' inputs along with them.
#include <cstdio>
#include <sstream>

#include <coppice/torch/pruner.hpp>
#include <torch/torch.h>

namespace {

torch::nn::Sequential simple_cnn() {
  using torch::nn::Conv2dOptions;
  return torch::nn::Sequential(torch::nn::Conv2d(Conv2dOptions(3, 64, 3).padding(1)), torch::nn::BatchNorm2d(64),
                               torch::nn::ReLU(), torch::nn::Conv2d(Conv2dOptions(64, 128, 3).padding(1)),
                               torch::nn::BatchNorm2d(128), torch::nn::ReLU(), torch::nn::AdaptiveAvgPool2d(1),
                               torch::nn::Flatten(), torch::nn::Linear(128, 10));
}

void show(const char* title, const torch::nn::Sequential& model) {
  std::ostringstream out;
  out << *model;
  long long parameters = 0;
  for (const torch::Tensor& parameter : model->parameters()) parameters += parameter.numel();
  std::printf("%s (%lld parameters)\n%s\n\n", title, parameters, out.str().c_str());
}

}  // namespace

int main() {
  torch::manual_seed(0);
  torch::nn::Sequential model = simple_cnn();
  const torch::Tensor x = torch::randn({1, 3, 32, 32});
  show("Before", model);

  coppice::Pruner pruner(model, {.pruning_ratio = 0.25, .criterion = coppice::large_final, .example_inputs = {x}});
  const coppice::PruneStep& step = pruner.prune_model();

  show("After removing a quarter of the filters", model);
  std::printf("MACs: %.0f -> %.0f\n", step.macs_before, step.macs);
  std::printf("Each filter took its batch norm entries and the next layer's inputs with it:\n");
  for (const coppice::pruning::PlanCut& cut : pruner.plan().cuts)
    std::printf("  %-16s axis %d: %lld of %lld stay\n", cut.parameter.c_str(), cut.axis,
                static_cast<long long>(cut.kept.size()), static_cast<long long>(cut.length));
  std::printf("Output of the pruned model: [%lld, %lld]\n", static_cast<long long>(model->forward(x).size(0)),
              static_cast<long long>(model->forward(x).size(1)));
}
