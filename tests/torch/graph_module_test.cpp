#include "coppice/torch/graph_module.hpp"

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/zoo/zoo.hpp"

namespace coppice {
namespace {

TEST(GraphModule, RunsResnet18) {
  GraphModule module(zoo::build("resnet18", 0, {.image_side = 64}));
  EXPECT_EQ(module.named_parameters().size(), 62U);
  EXPECT_NE(module.named_parameters().find("layer1.0.conv1.weight"), nullptr);
  const at::Tensor y = module.forward(at::randn({2, 3, 64, 64}));
  EXPECT_EQ(y.sizes(), (std::vector<std::int64_t>{2, 1000}));
}

}  // namespace
}  // namespace coppice
