#include "coppice/zoo/zoo.hpp"

#include <cstring>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"

namespace coppice::zoo {
namespace {

using graph::Model;
using graph::ValueId;

std::map<std::string, tensor::Tensor> weights(const Model& model) {
  std::map<std::string, tensor::Tensor> out;
  for (const auto& initializer : model.graph.initializers)
    out.emplace(model.graph.name_of(initializer.value), initializer.tensor);
  return out;
}

bool same_bytes(const Model& a, const Model& b) {
  const auto first = weights(a), second = weights(b);
  if (first.size() != second.size()) return false;
  for (const auto& [name, tensor] : first) {
    const auto other = second.find(name);
    if (other == second.end() || other->second.bytes.size() != tensor.bytes.size()) return false;
    if (std::memcmp(tensor.bytes.data(), other->second.bytes.data(), tensor.bytes.size()) != 0) return false;
  }
  return true;
}

TEST(Zoo, UsesTorchvisionsNames) {
  const auto resnet = weights(build("resnet18"));
  EXPECT_EQ(resnet.size(), 102u);  // 122 entries of the state dictionary less 20 counters of batches
  EXPECT_EQ(resnet.at("layer2.0.downsample.0.weight").shape, (tensor::Shape{128, 64, 1, 1}));
  EXPECT_EQ(resnet.at("layer4.1.bn2.running_var").shape, (tensor::Shape{512}));
  EXPECT_EQ(resnet.at("fc.weight").shape, (tensor::Shape{1000, 512}));
  const auto mobilenet = weights(build("mobilenet_v2"));
  EXPECT_EQ(mobilenet.at("features.2.conv.1.0.weight").shape, (tensor::Shape{96, 1, 3, 3}));
  EXPECT_EQ(mobilenet.at("classifier.1.bias").shape, (tensor::Shape{1000}));
  const auto shufflenet = weights(build("shufflenet_v2_x1_0"));
  EXPECT_EQ(shufflenet.at("stage3.0.branch1.0.weight").shape, (tensor::Shape{116, 1, 3, 3}));
  const auto efficientnet = weights(build("efficientnet_b0"));
  EXPECT_EQ(efficientnet.at("features.2.0.block.2.fc1.weight").shape, (tensor::Shape{4, 96, 1, 1}));
  const auto vit = weights(build("vit_b_16"));
  EXPECT_EQ(vit.size(), 152u);
  EXPECT_EQ(vit.at("encoder.layers.encoder_layer_11.self_attention.in_proj_weight").shape, (tensor::Shape{2304, 768}));
}

TEST(Zoo, NodesBearTheirModulesNames) {
  const Model model = build("resnet18");
  const ValueId id = model.graph.find("layer1.0.conv1");
  ASSERT_NE(id, graph::no_value);
  const std::int32_t producer = model.graph.values[static_cast<std::size_t>(id)].producer;
  ASSERT_GE(producer, 0);
  EXPECT_EQ(model.graph.nodes[static_cast<std::size_t>(producer)].op, "Conv");
  EXPECT_EQ(model.graph.nodes[static_cast<std::size_t>(producer)].name, "layer1.0.conv1");
}

TEST(Zoo, TheSameSeedGivesTheSameBytesWithAnyNumberOfThreads) {
  base::set_thread_count(1);
  const Model alone = build("mobilenet_v2", 7);
  base::set_thread_count(3);
  const Model together = build("mobilenet_v2", 7);
  base::set_thread_count(0);
  EXPECT_TRUE(same_bytes(alone, together));
  EXPECT_FALSE(same_bytes(alone, build("mobilenet_v2", 8)));
}

TEST(Zoo, LayersOfTheSameNameAndShapeStartAlikeInEveryArchitecture) {
  const auto small = weights(build("resnet18", 3)), large = weights(build("resnet34", 3));
  const auto& a = small.at("layer1.0.conv1.weight").bytes;
  const auto& b = large.at("layer1.0.conv1.weight").bytes;
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size()), 0);
}

TEST(Zoo, LivelyModelsHaveNoConstantParameters) {
  for (const auto& [name, tensor] : weights(build("resnet18", 0, {.image_side = 64, .lively = true}))) {
    const auto values = tensor.as<float>();
    EXPECT_NE(values[0], values[1]) << name;
    if (name.ends_with("running_var")) {
      for (const float v : values) EXPECT_GT(v, 0.5f);
    }
  }
}

TEST(Zoo, AnUnknownNameGetsItsNeighbours) {
  try {
    build("resnet81");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("resnet18"), std::string::npos) << error.what();
  }
}

TEST(Zoo, AnImpossibleImageSideIsRefused) {
  EXPECT_THROW(build("resnet18", 0, {.image_side = 33}), Error);
  EXPECT_THROW(build("resnet18", 0, {.image_side = 0}), Error);
  EXPECT_THROW(build("resnet18", 0, {.image_side = -32}), Error);
}

}  // namespace
}  // namespace coppice::zoo
