#include "coppice/sparsity/single.hpp"

#include <cmath>
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

Tensor floats(const std::vector<float>& values) {
  return Tensor::of<float>(DType::float32, {static_cast<std::int64_t>(values.size())}, values);
}

TEST(Threshold, HandComputed) {
  // Sorted |w| are 1 2 3 4 5 6 7 8: at 0.5 the rank is 3.5, between 4 and 5.
  EXPECT_EQ(threshold_unstructured({kWeight}, 0.5).threshold, 4.5);
  EXPECT_EQ(threshold_unstructured({kWeight}, 0.5).masks.at(0).words[0], 0b01110010u);
  // Rank 0.7 of 0, 1: 70 % of the way from 1 to 2.
  EXPECT_DOUBLE_EQ(threshold_unstructured({kWeight}, 0.1).threshold, 1.7);
  EXPECT_EQ(threshold_unstructured({kWeight}, 0.1).masks.at(0).words[0], 0b11111110u);
  // The smallest and the largest are the threshold themselves, and what equals it stays.
  EXPECT_EQ(threshold_unstructured({kWeight}, 0).masks.at(0).dropped(), 0);
  EXPECT_EQ(threshold_unstructured({kWeight}, 1).threshold, 8);
  EXPECT_EQ(threshold_unstructured({kWeight}, 1).masks.at(0).words[0], 0b00000010u);
  // Ties: rank 2 of 1 2 2 2 3.
  EXPECT_EQ(threshold_unstructured({floats({2, -2, 1, 3, 2})}, 0.5).masks.at(0).words[0], 0b11011u);
  // Several tensors are one list: 1 2 3 | 4 5 6, rank 2.5.
  const Thresholded both = threshold_unstructured({floats({6, 1, 4}), floats({3, 5, 2})}, 0.5);
  EXPECT_EQ(both.threshold, 3.5);
  EXPECT_EQ(both.masks.at(0).words[0], 0b101u);
  EXPECT_EQ(both.masks.at(1).words[0], 0b010u);
}

// Seventeen million values, more than torch.quantile takes: each of 0 to n - 1 once, in a scattered order (n and 7919
// share no divisor), so that sorted they are their own ranks.
TEST(Threshold, IsExactAtAnySize) {
  constexpr std::int64_t n = 17'000'003;
  std::vector<double> values(n);
  for (std::int64_t i = 0; i < n; ++i)
    values[static_cast<std::size_t>(i)] = static_cast<double>(i * 7919 % n) * (i % 2 == 0 ? 1 : -1);
  const Tensor weight = Tensor::of<double>(DType::float64, {n}, values);
  for (const double fraction : {0.25, 0.7, 0.123456}) {
    const double rank = fraction * static_cast<double>(n - 1);
    const Thresholded found = threshold_unstructured({weight}, fraction);
    EXPECT_NEAR(found.threshold, rank, 1e-8) << fraction;  // a_k = k
    std::int64_t wrong = 0;
    for (std::int64_t i = 0; i < n; ++i)
      wrong += found.masks.at(0).stays(i) != (std::abs(values[static_cast<std::size_t>(i)]) >= rank);
    EXPECT_EQ(wrong, 0) << fraction;
  }
}

TEST(Threshold, NeverFallsOnTheLowerNeighbour) {
  const double above = std::nextafter(1.0, 2.0);
  const Tensor weight = Tensor::of<double>(DType::float64, {2}, std::vector<double>{1, above});
  EXPECT_EQ(threshold_unstructured({weight}, 0.1).threshold, above);
  EXPECT_EQ(threshold_unstructured({weight}, 0.1).masks.at(0).words[0], 0b10u);
  const float infinite = std::numeric_limits<float>::infinity();
  EXPECT_EQ(threshold_unstructured({floats({1, infinite})}, 0.5).threshold, infinite);
  EXPECT_EQ(threshold_unstructured({floats({infinite, -infinite})}, 0.5).masks.at(0).dropped(), 0);
}

TEST(Threshold, RefusesWhatIsOutOfRange) {
  EXPECT_THROW(threshold_unstructured({kWeight}, 1.01), Error);
  EXPECT_THROW(threshold_unstructured({kWeight}, std::numeric_limits<double>::quiet_NaN()), Error);
  EXPECT_THROW(threshold_unstructured({}, 0.5), Error);
  EXPECT_THROW(threshold_unstructured({floats({1, std::numeric_limits<float>::quiet_NaN()})}, 0.5), Error);
}

TEST(Single, LayersOfATransformerByTheirNames) {
  const graph::Model llama = zoo::build("llama_tiny");
  using Layers = std::vector<std::pair<std::string, double>>;
  const Layers expected{{"*attn*q_proj", 0.1}, {"*attn*k_proj", 0.1}, {"*attn*v_proj", 0.1},
                        {"*mlp*gate_proj", 1}, {"*mlp*up_proj", 1},   {"*mlp*down_proj", 0.4}};
  EXPECT_EQ(transformer_layers(llama.graph, 0.1, 0.8), expected);
  EXPECT_EQ(transformer_layers(llama.graph, 0.3), (Layers{{"*attn*", 0.3}, {"*mlp*", 0.3}}));
  const Layers gpt{{"*attn*c_attn", 0.1}, {"*mlp*c_fc", 0.75}, {"*mlp*c_proj", 0.25}};
  EXPECT_EQ(transformer_layers(zoo::build("gpt2_tiny").graph, 0.1, 0.5), gpt);
  EXPECT_TRUE(transformer_layers(all_kinds().graph, 0.1, 0.8).empty());
}

}  // namespace
}  // namespace coppice::sparsity
