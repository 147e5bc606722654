#include "zoo/random.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace coppice::zoo {
namespace {

struct Moments {
  double mean = 0, variance = 0, skewness = 0, kurtosis = 0, largest = 0;
};

Moments moments(const tensor::Tensor& tensor) {
  const auto values = tensor.as<float>();
  const auto n = static_cast<double>(values.size());
  Moments out;
  for (const float v : values) out.mean += v / n;
  for (const float v : values) {
    const double d = v - out.mean;
    out.variance += d * d / n;
    out.skewness += d * d * d / n;
    out.kurtosis += d * d * d * d / n;
    out.largest = std::max(out.largest, std::abs(d));
  }
  out.skewness /= std::pow(out.variance, 1.5);
  out.kurtosis /= out.variance * out.variance;
  return out;
}

// The numbers were computed apart from this code, in double precision with the C library's functions.
TEST(Random, GivesTheSameNumbersOnEveryMachine) {
  const std::uint64_t key = stream_key(0, "conv1.weight");
  EXPECT_EQ(key, 0x01cd9f88b71df1dfu);
  const float normal[] = {-1.1012878f, 0.86969566f, 0.6805122f,  0.7239256f,
                          -1.4457606f, -1.0782584f, 0.11234725f, -0.6685112f};
  const float uniform[] = {-0.25282475f, 0.22087112f, -0.6067404f, 0.58944136f};
  const auto normals = random_tensor({8}, Init::normal(1), key), uniforms = random_tensor({4}, Init::uniform(1), key);
  for (std::size_t i = 0; i < 8; ++i) EXPECT_EQ(normals.as<float>()[i], normal[i]) << i;
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(uniforms.as<float>()[i], uniform[i]) << i;
}

TEST(Random, NormalHasTheMomentsOfTheNormalDistribution) {
  const Moments m = moments(random_tensor({1 << 20}, Init::normal(2, 3), stream_key(0, "a")));
  // Standard errors for a million samples: mean 0.002, variance 0.0055, skewness 0.0024, kurtosis 0.0048.
  EXPECT_NEAR(m.mean, 3, 0.01);
  EXPECT_NEAR(m.variance, 4, 0.03);
  EXPECT_NEAR(m.skewness, 0, 0.012);
  EXPECT_NEAR(m.kurtosis, 3, 0.025);
  EXPECT_GT(m.largest, 2 * 4.2);  // P(no |z| > 4.2 among a million) = e^-28
  EXPECT_LT(m.largest, 2 * 7.0);
}

TEST(Random, NormalFallsIntoTheRightQuantiles) {
  const auto tensor = random_tensor({1 << 20}, Init::normal(1), stream_key(1, "a"));
  // z with P(Z < z) = 0.1, 0.25, 0.5, 0.75, 0.9; standard error of a share at most 0.0005.
  const double at[] = {-1.2815516, -0.6744898, 0, 0.6744898, 1.2815516}, share[] = {0.1, 0.25, 0.5, 0.75, 0.9};
  for (int i = 0; i < 5; ++i) {
    double below = 0;
    for (const float v : tensor.as<float>()) below += v < at[i] ? 1 : 0;
    EXPECT_NEAR(below / (1 << 20), share[i], 0.0025) << at[i];
  }
}

TEST(Random, UniformFillsItsRange) {
  const auto tensor = random_tensor({1 << 20}, Init::uniform(0.5, 1), stream_key(0, "a"));
  for (const float v : tensor.as<float>()) {
    ASSERT_GE(v, 0.5f);
    ASSERT_LE(v, 1.5f);
  }
  const Moments m = moments(tensor);
  EXPECT_NEAR(m.mean, 1, 0.0015);
  EXPECT_NEAR(m.variance, 1.0 / 12, 0.0005);
  EXPECT_NEAR(m.kurtosis, 1.8, 0.01);
}

TEST(Random, NeighboursAreIndependent) {
  const auto tensor = random_tensor({1 << 20}, Init::normal(1), stream_key(2, "a"));
  const auto v = tensor.as<float>();
  double next = 0, over_next = 0;
  for (std::size_t i = 0; i + 2 < v.size(); ++i) {
    next += v[i] * v[i + 1];
    over_next += v[i] * v[i + 2];
  }
  EXPECT_NEAR(next / (1 << 20), 0, 0.005);
  EXPECT_NEAR(over_next / (1 << 20), 0, 0.005);
}

TEST(Random, StreamsDiffer) {
  EXPECT_NE(stream_key(0, "a"), stream_key(0, "b"));
  EXPECT_NE(stream_key(0, "a"), stream_key(1, "a"));
}

TEST(Random, OddCountsAreFilled) {
  const auto odd = random_tensor({5}, Init::normal(1), 9), even = random_tensor({6}, Init::normal(1), 9);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(odd.as<float>()[i], even.as<float>()[i]);
}

}  // namespace
}  // namespace coppice::zoo
