#include "coppice/torch/pruner.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "coppice/base/error.hpp"

#include "../../examples/resnet18.hpp"

namespace coppice {
namespace {

at::Tensor example() {
  return at::ones({1, 3, 64, 64});
}

TEST(Pruner, CutsResnet18InPlace) {
  ResNet18 model;
  const at::Tensor conv1 = model->conv1->weight;
  Pruner pruner(model, {.pruning_ratio = 30, .example_inputs = {example()}});
  EXPECT_EQ(describe_ignored(pruner), "Ignoring output layer: fc\nTotal ignored layers: 1\n");
  const PruneStep& step = pruner.prune_model();
  EXPECT_EQ(parameters(*model), 5820556);
  EXPECT_EQ(step.parameters, 5820556);
  EXPECT_EQ(step.parameters_before, 11689512);
  EXPECT_EQ(model->conv1->options.out_channels(), 44);
  EXPECT_EQ(model->conv1->weight.unsafeGetTensorImpl(), conv1.unsafeGetTensorImpl());
  EXPECT_EQ(model->forward(at::randn({2, 3, 64, 64})).sizes(), (std::vector<std::int64_t>{2, 1000}));
}

}  // namespace
}  // namespace coppice
