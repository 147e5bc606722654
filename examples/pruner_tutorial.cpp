// Structured pruning of a network written for libtorch, from the first cut to iterative and per-layer pruning.
#include <cstdio>
#include <map>
#include <sstream>

#include <coppice/torch/pruner.hpp>

#include "resnet18.hpp"

using namespace coppice;

namespace {

std::string text(const torch::nn::Conv2d& conv) {
  std::ostringstream out;
  conv->pretty_print(out);
  return out.str();
}

void basic_pruning() {
  std::printf("== 1. Basic pruning\n");
  ResNet18 model;
  const long long before = parameters(*model);
  std::printf("conv1: %s\nlayer1[0].conv1: %s\nParameters: %lld\n", text(model->conv1).c_str(),
              text(model->block(1).conv1).c_str(), before);

  Pruner pruner(model, {.pruning_ratio = 30, .context = Context::local, .criterion = large_final});
  std::printf("%s", describe_ignored(pruner).c_str());
  pruner.prune_model();

  const long long after = parameters(*model);
  std::printf("conv1: %s\nlayer1[0].conv1: %s\nParameters: %lld\nReduction: %.1f%%\n\n", text(model->conv1).c_str(),
              text(model->block(1).conv1).c_str(), after,
              100.0 * static_cast<double>(before - after) / static_cast<double>(before));
}

void show_widths(ResNet18& model) {
  for (int stage = 1; stage <= 4; ++stage) {
    const auto& options = model->block(stage).conv1->options;
    std::printf("layer%d[0].conv1: Conv2d(%lld, %lld, ...)\n", stage, static_cast<long long>(options.in_channels()),
                static_cast<long long>(options.out_channels()));
  }
}

void local_and_global() {
  std::printf("== 2. Local and global pruning\nLocal (each layer loses 50 %%):\n");
  ResNet18 local;
  Pruner(local, {.pruning_ratio = 50, .context = Context::local}).prune_model();
  show_widths(local);
  std::printf("Global (layers compete):\n");
  ResNet18 global;
  Pruner(global, {.pruning_ratio = 50, .context = Context::global}).prune_model();
  show_widths(global);
  std::printf("\n");
}

void iterative_pruning() {
  std::printf("== 3. Iterative pruning (5 steps to 50 %%)\n");
  ResNet18 model;
  const long long before = parameters(*model);
  Pruner pruner(model, {.pruning_ratio = 50, .iterative_steps = 5});
  while (!pruner.done()) {
    const PruneStep& step = pruner.prune_model();
    const long long now = parameters(*model);
    std::printf("Step %d: %lld params (%.1f%% reduction)\n", step.step, now,
                100.0 * static_cast<double>(before - now) / static_cast<double>(before));
  }
  std::printf("\n");
}

void per_layer_ratios() {
  std::printf("== 4. Per-layer pruning ratios\n");
  ResNet18 model;
  const std::map<std::string, double> ratios{{"layer1.0.conv1", 20}, {"layer1.0.conv2", 20}, {"layer2.0.conv1", 40},
                                             {"layer2.0.conv2", 40}, {"layer3.0.conv1", 60}, {"layer3.0.conv2", 60},
                                             {"layer4.0.conv1", 80}, {"layer4.0.conv2", 80}};
  Pruner(model, {.pruning_ratio = ratios}).prune_model();
  for (int stage = 1; stage <= 4; ++stage)
    std::printf("layer%d.0.conv1: %lld channels (%d%% pruned from %d)\n", stage,
                static_cast<long long>(model->block(stage).conv1->options.out_channels()), 20 * stage, 32 << stage);
  std::printf("\n");
}

void verification() {
  std::printf("== 5. Verifying the pruned model\n");
  ResNet18 model;
  model->eval();
  Pruner(model, {.pruning_ratio = 50, .context = Context::global}).prune_model();
  torch::NoGradGuard no_gradients;
  const torch::Tensor x = torch::randn({1, 3, 224, 224}), y = model(x);
  std::ostringstream shapes;
  shapes << "Input shape: " << x.sizes() << "\nOutput shape: " << y.sizes();
  std::printf("%s\nModel works correctly after pruning!\n\n", shapes.str().c_str());
}

void criteria() {
  std::printf("== 6. Importance criteria\n");
  for (const auto& [name, criterion] : {std::pair("large_final", large_final), std::pair("random", coppice::random)}) {
    ResNet18 model;
    Pruner(model, {.pruning_ratio = 30, .criterion = criterion}).prune_model();
    std::printf("%s: %lld parameters\n", name, parameters(*model));
  }
}

}  // namespace

int main() {
  torch::manual_seed(0);
  basic_pruning();
  local_and_global();
  iterative_pruning();
  per_layer_ratios();
  verification();
  criteria();
}
