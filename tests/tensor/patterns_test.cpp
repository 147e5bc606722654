#include "coppice/tensor/patterns.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>
#include <hwy/targets.h>

#include "coppice/base/error.hpp"
#include "coppice/tensor/kernels.hpp"

#include "random_tensor.hpp"

namespace coppice::tensor {
namespace {

// By the definition: each run is sorted.
Mask sorted_mask(const Tensor& tensor, const KeepOf& pattern) {
  Mask out = Mask::all(tensor.elements());
  std::int64_t inner = 1;
  for (std::size_t i = pattern.axis + 1; i < tensor.shape.size(); ++i) inner *= tensor.shape[i];
  for (std::int64_t first = 0; first < tensor.elements(); ++first) {
    const std::int64_t along = first / inner % tensor.shape[pattern.axis];
    if (along % pattern.of != 0) continue;
    std::vector<std::int64_t> run;
    for (std::int64_t i = 0; i < pattern.of; ++i) run.push_back(first + i * inner);
    std::stable_sort(run.begin(), run.end(), [&](std::int64_t a, std::int64_t b) {
      return std::fabs(element_as_double(tensor, a)) < std::fabs(element_as_double(tensor, b));
    });
    for (std::int64_t i = 0; i < pattern.of - pattern.keep; ++i) out.drop(run[static_cast<std::size_t>(i)]);
  }
  return out;
}

Tensor zeroed(const Tensor& tensor, const KeepOf& pattern) {
  Buffer buffer(tensor.bytes.size());
  zero_keep_of("w", tensor, pattern, buffer.span());
  return {tensor.dtype, tensor.shape, std::move(buffer).freeze(), nullptr};
}

bool same_bytes(const Tensor& a, const Tensor& b) {
  return a.bytes.size() == b.bytes.size() && std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) == 0;
}

// Rounded, so that there are ties and zeros.
Tensor coarse(DType type, Shape shape, unsigned seed) {
  std::vector<double> values(static_cast<std::size_t>(element_count(shape)));
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  for (double& value : values) value = std::round(normal(random) * 2) / 2;
  return from_doubles(type, std::move(shape), values);
}

TEST(KeepOf, HandComputed) {
  const std::vector<float> values{1, -3, 2, 0.5f, 1, 1, 1, 1, 0, -0.0f, 0, -7, 4, 3, 2, 1};
  const Tensor tensor = Tensor::of<float>(DType::float32, {2, 8}, values);
  const Mask mask = mask_keep_of("w", tensor, {2, 4, 1});
  // -3 and 2; of equal ones the last two; 0 and -7; 4 and 3.
  EXPECT_EQ(mask.words[0], 0b0011'1100'1100'0110u);
  EXPECT_EQ(mask_keep_of("w", tensor, {1, 2, 0}).words[0], 0b11111000'00000111u);
}

TEST(KeepOf, EqualsASortForEveryTypeAxisAndPattern) {
  const KeepOf patterns[] = {{2, 4, 1},  {1, 4, 1},  {3, 4, 1}, {1, 2, 1}, {4, 8, 1},
                             {1, 16, 1}, {5, 48, 1}, {2, 4, 0}, {7, 8, 0}, {10, 24, 0}};
  for (const DType type : {DType::float32, DType::float16, DType::bfloat16, DType::float64}) {
    for (const Shape& shape : {Shape{24, 48}, Shape{24, 48, 3, 3}, Shape{72, 144, 5}}) {
      const Tensor tensor = shifted(coarse(type, shape, 3), 1);
      for (const KeepOf& pattern : patterns) {
        const Mask expected = sorted_mask(tensor, pattern);
        for (const int threads : {1, 2, 7}) {
          const Threads scope(threads);
          ASSERT_EQ(mask_keep_of("w", tensor, pattern), expected) << pattern.keep << ":" << pattern.of;
          ASSERT_TRUE(same_bytes(zeroed(tensor, pattern), apply_mask(expected, tensor)));
        }
        const Scores scores{"w", tensor.elements(), [&](std::int64_t first, std::span<double> out) {
                              for (double& value : out) value = std::fabs(element_as_double(tensor, first++));
                            }};
        ASSERT_EQ(mask_keep_of(scores, tensor.shape, pattern), expected);
      }
    }
  }
}

TEST(KeepOf, IsTheSameForEveryVectorWidth) {
  for (const DType type : {DType::float32, DType::float16, DType::float64}) {
    const Tensor tensor = coarse(type, {37, 52, 9}, 4);
    const Tensor flat = coarse(type, {37, 52}, 5);
    const std::int64_t all = hwy::SupportedTargets();
    for (std::int64_t rest = all; rest != 0; rest &= rest - 1) {
      hwy::SetSupportedTargetsForTest(rest & -rest);
      EXPECT_EQ(mask_keep_of("w", tensor, {2, 4, 1}), sorted_mask(tensor, {2, 4, 1}));
      EXPECT_EQ(mask_keep_of("w", flat, {2, 4, 1}), sorted_mask(flat, {2, 4, 1}));
    }
    hwy::SetSupportedTargetsForTest(0);
  }
}

TEST(KeepOf, WorksInPlaceAndLeavesATensorWithNaNAsItWas) {
  for (const bool bad : {false, true}) {
    std::vector<float> values(80000);
    std::iota(values.begin(), values.end(), 1.0f);
    if (bad) values[79990] = std::numeric_limits<float>::quiet_NaN();
    const std::vector<float> before = values;
    const std::span<std::byte> room = std::as_writable_bytes(std::span(values));
    const Tensor own{DType::float32, {200, 400}, Bytes(nullptr, room), nullptr};
    try {
      zero_keep_of("w", own, {2, 4, 1}, room);
      EXPECT_FALSE(bad);
      EXPECT_EQ(count_zeros(own), 40000);
    } catch (const Error& error) {
      EXPECT_TRUE(bad);
      EXPECT_STREQ(error.what(), "w: expected numbers, found NaN as weight 79990");
      EXPECT_EQ(std::memcmp(values.data(), before.data(), 320000), 0);
    }
  }
}

TEST(KeepOf, RefusesWhatDoesNotFit) {
  const Tensor tensor = random_tensor(DType::float32, {6, 10}, 1);
  for (const KeepOf& pattern : {KeepOf{2, 4, 1}, KeepOf{0, 2, 1}, KeepOf{2, 2, 1}, KeepOf{1, 0, 1}, KeepOf{1, 2, 2}})
    EXPECT_THROW(mask_keep_of("w", tensor, pattern), Error);
  EXPECT_THROW(mask_keep_of("w", random_tensor(DType::int8, {6, 10}, 1), {1, 2, 1}), Error);
}

TEST(Units, SumsAndMasksOfAWeightByHand) {
  // 2 x 2 x 1 x 2: filters, channels, one row of two.
  const std::vector<float> values{1, -2, 3, 4, -5, 6, 7, 8};
  const Tensor tensor = Tensor::of<float>(DType::float32, {2, 2, 1, 2}, values);
  const auto sums = [&](std::vector<bool> together, int power) {
    return unit_power_sums(tensor, {tensor.shape, std::move(together)}, power);
  };
  EXPECT_EQ(sums({false, true, true, true}, 1), (std::vector<double>{10, 26}));
  EXPECT_EQ(sums({true, false, true, true}, 1), (std::vector<double>{14, 22}));
  EXPECT_EQ(sums({false, false, true, true}, 2), (std::vector<double>{5, 25, 61, 113}));
  EXPECT_EQ(sums({true, false, false, false}, 1), (std::vector<double>{6, 8, 10, 12}));
  EXPECT_EQ(sums({true, true, true, true}, 1), (std::vector<double>{36}));
  const Units kernels{tensor.shape, {false, false, true, true}};
  EXPECT_EQ(kernels.count(), 4);
  EXPECT_EQ(kernels.size(), 2);
  EXPECT_EQ(unit_mask(kernels, {false, true, true, false}).words[0], 0b11000011u);
  // Tiles of 1 x 2 of the matrix 2 x 4.
  const Units tiles{{2, 1, 2, 2}, {false, true, false, true}};
  EXPECT_EQ(unit_power_sums(tensor, tiles, 1), (std::vector<double>{3, 7, 11, 15}));
  EXPECT_EQ(unit_mask(tiles, {true, false, false, false}).words[0], 0b11111100u);
}

TEST(Units, AreTheSameBitsForAnyNumberOfThreads) {
  const Tensor tensor = random_tensor(DType::float32, {300, 200, 3, 3}, 2);
  for (const std::vector<bool>& together :
       {std::vector<bool>{false, true, true, true}, {true, false, false, true}, {false, false, false, true}}) {
    const Units units{tensor.shape, together};
    std::vector<double> first;
    for (const int threads : {1, 2, 7}) {
      const Threads scope(threads);
      const std::vector<double> sums = unit_power_sums(tensor, units, 2);
      if (first.empty()) first = sums;
      EXPECT_EQ(sums, first);
    }
    double total = 0, plain = 0;
    for (const double sum : first) total += sum;
    for (const double power : element_powers(tensor, 2)) plain += power;
    EXPECT_NEAR(total, plain, 1e-7 * plain);
  }
}

TEST(Units, RefuseViewsThatDoNotFit) {
  const Tensor tensor = random_tensor(DType::float32, {4, 6}, 1);
  EXPECT_THROW(unit_power_sums(tensor, {{4, 5}, {true, false}}, 1), Error);
  EXPECT_THROW(unit_power_sums(tensor, {{4, 6}, {true}}, 1), Error);
  EXPECT_THROW(unit_power_sums(tensor, {{4, 6}, {true, false}}, 3), Error);
  EXPECT_THROW(unit_mask({{4, 6}, {true, false}}, std::vector<bool>(5)), Error);
}

}  // namespace
}  // namespace coppice::tensor
