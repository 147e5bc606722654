#include <gtest/gtest.h>
#include <torch/nn.h>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/graph/print.hpp"
#include "coppice/torch/trace.hpp"

#include "support/trace_check.hpp"
#include "torch_nets.hpp"

namespace coppice {
namespace {

at::Tensor random(std::vector<std::int64_t> shape) {
  return at::randn(shape);
}

const graph::Node* node_named(const graph::Model& model, const std::string& name) {
  for (const graph::Node& node : model.graph.nodes)
    if (node.name == name) return &node;
  return nullptr;
}

TEST(TraceCnn, NamesResnet18AsTheZooDoes) {
  ResNet18 net(10);
  const graph::Model model = trace(net, {random({2, 3, 32, 32})});
  EXPECT_TRUE(unmapped_operators(model).empty());
  EXPECT_EQ(model.graph.initializers.size(), 62U + 40U);
  const graph::Node* conv = node_named(model, "layer1.0.conv1");
  ASSERT_NE(conv, nullptr);
  EXPECT_EQ(conv->op, "Conv");
  EXPECT_EQ(model.graph.name_of(conv->input(1)), "layer1.0.conv1.weight");
  ASSERT_NE(node_named(model, "layer2.0.downsample.1"), nullptr);
  EXPECT_EQ(node_named(model, "layer2.0.downsample.1")->op, "BatchNormalization");
  ASSERT_NE(node_named(model, "fc"), nullptr);
  EXPECT_EQ(node_named(model, "fc")->op, "Gemm");
  EXPECT_EQ(model.graph.name_of(model.graph.inputs.at(0)), "input");
  EXPECT_EQ(model.graph.name_of(model.graph.outputs.at(0)), "output");
}

TEST(TraceCnn, SharesTheModulesMemory) {
  torch::nn::Linear linear(4, 3);
  const graph::Model model = trace(linear, {random({2, 4})});
  const tensor::Tensor* weight = model.graph.constant(model.graph.find("weight"));
  ASSERT_NE(weight, nullptr);
  EXPECT_EQ(weight->shape, (tensor::Shape{3, 4}));
  EXPECT_EQ(static_cast<const void*>(weight->bytes.data()), linear->weight.data_ptr());
}

TEST(TraceCnn, Resnet18RunsInOnnxRuntime) {
  ResNet18 net(10);
  EXPECT_TRACES_WITHIN(1e-5, net, {random({2, 3, 32, 32})});
}

}  // namespace
}  // namespace coppice
