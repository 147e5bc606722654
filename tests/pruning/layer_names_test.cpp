#include "pruning/layer_names.hpp"

#include <gtest/gtest.h>

namespace coppice::pruning {
namespace {

TEST(ModulePath, DropsRepeatedContainers) {
  EXPECT_EQ(module_path("/layer1/layer1.0/conv1/Conv"), "layer1.0.conv1.Conv");
  EXPECT_EQ(module_path("/features/features.1/conv/conv.0/conv.0.0/Conv"), "features.1.conv.0.0.Conv");
  EXPECT_EQ(module_path("/encoder/layers/encoder_layer_0/mlp/mlp.0/Gemm"), "encoder.layers.encoder_layer_0.mlp.0.Gemm");
  EXPECT_EQ(module_path("layer1.0.conv1"), "layer1.0.conv1");
  EXPECT_EQ(module_path("a/a1/b"), "a.a1.b");
  EXPECT_EQ(module_path("//"), "");
}

TEST(MatchPrefix, EndsAtBoundaries) {
  EXPECT_EQ(match_prefix("layer1.0.conv1", "layer1.0.conv1.weight"), 14u);
  EXPECT_EQ(match_prefix("layer1", "layer1.0.conv1.weight"), 6u);
  EXPECT_EQ(match_prefix("layer1.0.conv1", "layer1.0.conv1"), 14u);
  EXPECT_FALSE(match_prefix("layer1.0.conv1", "layer1.0.conv10.weight"));
  EXPECT_FALSE(match_prefix("layer1.0.conv1", "layer1.0"));
  EXPECT_FALSE(match_prefix("", "layer1"));
}

TEST(MatchPrefix, Wildcards) {
  EXPECT_EQ(match_prefix("*.conv1", "layer1.0.conv1.weight"), 6u);
  EXPECT_EQ(match_prefix("layer?.*.conv1", "layer4.1.conv1"), 12u);
  EXPECT_FALSE(match_prefix("*.conv1", "layer1.0.conv12.weight"));
  EXPECT_EQ(match_prefix("*", "anything"), 0u);
  EXPECT_FALSE(match_prefix("?", "ab"));
}

}  // namespace
}  // namespace coppice::pruning
