#include "coppice/sparsity/single.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/zoo/zoo.hpp"

#include "models.hpp"

namespace coppice::sparsity {
namespace {

const Tensor kWeight = Tensor::of<float>(DType::float32, {2, 4}, std::vector<float>{1, -8, 3, 4, 5, 6, -7, 2});

TEST(Single, HandComputed) {
  EXPECT_EQ(l1_unstructured(kWeight, 0.5).words[0], 0b01110010u);
  EXPECT_EQ(l1_unstructured(kWeight, 0).words[0], 0xffu);
  EXPECT_EQ(l1_unstructured(kWeight, 1).words[0], 0u);
  // Columns: sums 6 14 10 6, squares 26 100 58 20; rows: 16 and 20.
  EXPECT_EQ(ln_structured(kWeight, 0.25, 1, 1).words[0], 0b11101110u);
  EXPECT_EQ(ln_structured(kWeight, 0.25, 2, 1).words[0], 0b01110111u);
  EXPECT_EQ(ln_structured(kWeight, 0.5, 1, 0).words[0], 0b11110000u);
}

TEST(Single, RandomOnesHaveExactCountsAndSeeds) {
  const Tensor weight = drawn({40, 60}, 1);
  EXPECT_EQ(random_unstructured(weight, 0.3, 1).dropped(), 720);
  EXPECT_EQ(random_unstructured(weight, 0.3, 1), random_unstructured(weight, 0.3, 1));
  EXPECT_NE(random_unstructured(weight, 0.3, 1), random_unstructured(weight, 0.3, 2));
  EXPECT_EQ(random_structured(weight, 0.3, 0, 1).dropped(), 12 * 60);
  EXPECT_EQ(random_structured(weight, 0.3, 1, 1).dropped(), 18 * 40);
  EXPECT_NE(random_structured(weight, 0.3, 1, 1), random_structured(weight, 0.3, 1, 2));
}

TEST(Single, RefusesWhatIsOutOfRange) {
  EXPECT_THROW(l1_unstructured(kWeight, 1.01), Error);
  EXPECT_THROW(ln_structured(kWeight, 0.5, 3, 0), Error);
  EXPECT_THROW(ln_structured(kWeight, 0.5, 2, 2), Error);
  const Tensor bad =
      Tensor::of<float>(DType::float32, {2}, std::vector<float>{1, std::numeric_limits<float>::quiet_NaN()});
  EXPECT_THROW(ln_structured(bad, 0.5, 2, 0), Error);
  EXPECT_THROW(l1_unstructured(bad, 0.5), Error);
}

TEST(Single, LayersOfATransformerByTheirNames) {
  const graph::Model llama = zoo::build("llama_tiny");
  using Layers = std::vector<std::pair<std::string, double>>;
  const Layers expected{{"*self_attn*q_proj", 0.1}, {"*self_attn*k_proj", 0.1}, {"*self_attn*v_proj", 0.1},
                        {"*mlp*gate_proj", 1},      {"*mlp*up_proj", 1},        {"*mlp*down_proj", 0.4}};
  EXPECT_EQ(transformer_layers(llama.graph, 0.1, 0.8), expected);
  EXPECT_TRUE(transformer_layers(all_kinds().graph, 0.1, 0.8).empty());
}

}  // namespace
}  // namespace coppice::sparsity
