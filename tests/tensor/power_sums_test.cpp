#include <cmath>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/tensor/kernels.hpp"

#include "random_tensor.hpp"

namespace coppice::tensor {
namespace {

using Sums = std::vector<std::vector<double>>;

std::vector<std::size_t> all_axes(const Tensor& tensor) {
  std::vector<std::size_t> axes(tensor.shape.size());
  for (std::size_t i = 0; i < axes.size(); ++i) axes[i] = i;
  return axes;
}

// One element after the other, in extended precision; types that element_as_double reads.
Sums naive(const Tensor& tensor, const std::vector<std::size_t>& axes, int power, const ZeroPoint& zero = {}) {
  std::vector<std::vector<long double>> sums;
  for (std::size_t axis : axes) sums.emplace_back(tensor.shape[axis], 0.0L);
  const auto index_on = [&](std::int64_t at, std::size_t axis) {
    for (std::size_t i = tensor.shape.size() - 1; i > axis; --i) at /= tensor.shape[i];
    return at % tensor.shape[axis];
  };
  for (std::int64_t at = 0; at < tensor.elements(); ++at) {
    long double x = element_as_double(tensor, at);
    if (zero.values.size() == 1) x -= zero.values[0];
    if (zero.values.size() > 1) x -= zero.values[index_on(at, zero.axis)];
    const long double term = power == 1 ? std::abs(x) : x * x;
    for (std::size_t i = 0; i < axes.size(); ++i) sums[i][index_on(at, axes[i])] += term;
  }
  Sums out;
  for (const auto& sum : sums) out.emplace_back(sum.begin(), sum.end());
  return out;
}

void expect_near(const Sums& found, const Sums& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].size(), expected[i].size());
    for (std::size_t k = 0; k < found[i].size(); ++k) {
      ASSERT_NEAR(found[i][k], expected[i][k], 1e-12 * std::abs(expected[i][k])) << "axis " << i << " index " << k;
    }
  }
}

TEST(PowerSums, SumsAMatrixByHand) {
  const float values[] = {1, -2, 3, -4, 5, -6};
  const auto matrix = Tensor::of<float>(DType::float32, {2, 3}, values);
  const std::size_t axes[] = {0, 1};
  EXPECT_EQ(axis_power_sums(matrix, axes, 1), (Sums{{6, 15}, {5, 7, 9}}));
  EXPECT_EQ(axis_power_sums(matrix, axes, 2), (Sums{{14, 77}, {17, 29, 45}}));
  const std::size_t swapped[] = {1, 0};
  EXPECT_EQ(axis_power_sums(matrix, swapped, 1), (Sums{{5, 7, 9}, {6, 15}}));
}

TEST(PowerSums, SubtractsZeroPoints) {
  const std::uint8_t values[] = {128, 130, 0, 255, 127, 128};
  const auto matrix = Tensor::of<std::uint8_t>(DType::uint8, {2, 3}, values);
  const std::size_t axes[] = {0, 1};
  EXPECT_EQ(axis_power_sums(matrix, axes, 1, {{128}, 0}), (Sums{{130, 128}, {127, 3, 128}}));
  EXPECT_EQ(axis_power_sums(matrix, axes, 1, {{128, 127}, 0}), (Sums{{130, 129}, {128, 2, 129}}));
  EXPECT_EQ(axis_power_sums(matrix, axes, 1, {{0, 130, 128}, 1}), (Sums{{256, 258}, {383, 3, 128}}));
}

TEST(PowerSums, AgreesWithALoopForEveryTypeAndRank) {
  const Shape shapes[] = {{1},       {7},        {1031},       {9, 1},        {1, 9},          {5, 67},        {67, 5},
                          {3, 4, 5}, {17, 3, 3}, {6, 5, 3, 3}, {33, 1, 3, 3}, {2, 3, 1, 5, 7}, {3, 2, 5, 1, 2}};
  const DType types[] = {DType::float32, DType::float64, DType::float16, DType::bfloat16, DType::int8,   DType::uint8,
                         DType::int16,   DType::uint16,  DType::int32,   DType::uint32,   DType::boolean};
  unsigned seed = 0;
  for (const DType type : types) {
    for (const Shape& shape : shapes) {
      SCOPED_TRACE(std::string(name(type)) + " " + to_string(shape));
      const Tensor tensor = shifted(random_tensor(type, shape, ++seed), shape.size() + shape[0] % 4);
      for (const int power : {1, 2}) {
        expect_near(axis_power_sums(tensor, all_axes(tensor), power), naive(tensor, all_axes(tensor), power));
        for (std::size_t axis = 0; axis < shape.size(); ++axis) {
          const ZeroPoint zero{std::vector<double>(shape[axis], 3.0), axis};
          expect_near(axis_power_sums(tensor, {&axis, 1}, power), naive(tensor, {axis}, power));
          expect_near(axis_power_sums(tensor, all_axes(tensor), power, zero),
                      naive(tensor, all_axes(tensor), power, zero));
        }
      }
    }
  }
}

TEST(PowerSums, SubtractsAZeroPointThatVariesAlongAnyAxis) {
  const Tensor tensor = shifted(random_tensor(DType::int8, {6, 5, 3, 7}, 5), 1);
  for (std::size_t axis = 0; axis < 4; ++axis) {
    ZeroPoint zero{{}, axis};
    for (std::int64_t i = 0; i < tensor.shape[axis]; ++i) zero.values.push_back(static_cast<double>(11 * i - 20));
    expect_near(axis_power_sums(tensor, all_axes(tensor), 2, zero), naive(tensor, all_axes(tensor), 2, zero));
    const std::size_t one[] = {1};
    expect_near(axis_power_sums(tensor, one, 1, zero), naive(tensor, {1}, 1, zero));
  }
}

TEST(PowerSums, ReadsPackedAndEightBitTypes) {
  // 4-bit elements: low half first.
  const std::uint8_t packed[] = {0x2f, 0x81, 0x07};
  const std::size_t axis = 0;
  const Tensor signed_four = Tensor::of<std::uint8_t>(DType::int4, {5}, packed);
  EXPECT_EQ(axis_power_sums(signed_four, {&axis, 1}, 1), (Sums{{1, 2, 1, 8, 7}}));
  const Tensor unsigned_four = Tensor::of<std::uint8_t>(DType::uint4, {5}, packed);
  EXPECT_EQ(axis_power_sums(unsigned_four, {&axis, 1}, 1, {{8}, 0}), (Sums{{7, 6, 7, 0, 1}}));
  const Tensor float_four = Tensor::of<std::uint8_t>(DType::float4e2m1, {5}, packed);
  EXPECT_EQ(axis_power_sums(float_four, {&axis, 1}, 1), (Sums{{6, 1, 0.5, 0, 6}}));
  // 1.0, -1.5, smallest subnormal, zero of each 8-bit float.
  const std::uint8_t e4m3[] = {0x38, 0xbc, 0x01, 0x80};
  EXPECT_EQ(axis_power_sums(Tensor::of<std::uint8_t>(DType::float8e4m3fn, {4}, e4m3), {&axis, 1}, 1),
            (Sums{{1, 1.5, std::ldexp(1.0, -9), 0}}));
  const std::uint8_t e5m2[] = {0x3c, 0xbe, 0x01, 0x80};
  EXPECT_EQ(axis_power_sums(Tensor::of<std::uint8_t>(DType::float8e5m2, {4}, e5m2), {&axis, 1}, 1),
            (Sums{{1, 1.5, std::ldexp(1.0, -16), 0}}));
  const std::uint8_t e4m3uz[] = {0x40, 0xc4, 0x01, 0x00};
  EXPECT_EQ(axis_power_sums(Tensor::of<std::uint8_t>(DType::float8e4m3fnuz, {4}, e4m3uz), {&axis, 1}, 1),
            (Sums{{1, 1.5, std::ldexp(1.0, -10), 0}}));
  const std::uint8_t e5m2uz[] = {0x40, 0xc2, 0x01, 0x00};
  EXPECT_EQ(axis_power_sums(Tensor::of<std::uint8_t>(DType::float8e5m2fnuz, {4}, e5m2uz), {&axis, 1}, 1),
            (Sums{{1, 1.5, std::ldexp(1.0, -17), 0}}));
}

TEST(PowerSums, TellsTinyAndHugeWeightsApart) {
  // Their squares leave the range of float, not that of double.
  const float values[] = {1e-30f, 2e-30f, 1e30f, 2e30f};
  const auto tensor = Tensor::of<float>(DType::float32, {2, 2}, values);
  const std::size_t axis = 0;
  const auto sums = axis_power_sums(tensor, {&axis, 1}, 2).front();
  EXPECT_NEAR(sums[0], 5e-60, 1e-66);
  EXPECT_NEAR(sums[1], 5e60, 1e54);
}

TEST(PowerSums, SameBitsForEveryNumberOfThreads) {
  const Shape shapes[] = {{700, 1501}, {3, 400001}, {1048579}, {400001, 3}, {600, 300, 3, 3}};
  for (const Shape& shape : shapes) {
    const Tensor tensor = random_tensor(DType::float32, shape, 77);
    base::set_thread_count(1);
    const auto one = axis_power_sums(tensor, all_axes(tensor), 2);
    expect_near(one, naive(tensor, all_axes(tensor), 2));
    for (const int threads : {2, 7}) {
      const Threads scope(threads);
      EXPECT_EQ(axis_power_sums(tensor, all_axes(tensor), 2), one) << to_string(shape) << " " << threads;
    }
  }
}

TEST(PowerSums, ABatchIsTheSumOfItsParts) {
  std::vector<Tensor> tensors;
  for (unsigned i = 0; i < 40; ++i) tensors.push_back(random_tensor(DType::float32, {1 + i * 13 % 97, 50 + i * i}, i));
  tensors.push_back(Tensor::scalar(2.0f));
  tensors.push_back(random_tensor(DType::float32, {0, 4}, 1));
  std::vector<PowerSumRequest> requests;
  for (const Tensor& tensor : tensors) requests.push_back({&tensor, all_axes(tensor), 1, {}});
  const Threads scope(3);
  const auto batch = axis_power_sums(requests);
  ASSERT_EQ(batch.size(), tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_EQ(batch[i], axis_power_sums(tensors[i], all_axes(tensors[i]), 1));
  }
  EXPECT_EQ(batch[41], (Sums{{}, {0, 0, 0, 0}}));
  EXPECT_TRUE(axis_power_sums(std::span<const PowerSumRequest>{}).empty());
}

TEST(PowerSums, PowersOfEachElement) {
  const float values[] = {-1, 2, -3};
  const auto scale = Tensor::of<float>(DType::float32, {3}, values);
  EXPECT_EQ(element_powers(scale, 1), (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(element_powers(scale, 2), (std::vector<double>{1, 4, 9}));
  EXPECT_EQ(element_powers(Tensor::scalar(-2.0f), 2), (std::vector<double>{4}));
  const std::int8_t bytes[] = {1, 2, 3, 4};
  const auto quantised = Tensor::of<std::int8_t>(DType::int8, {2, 2}, bytes);
  EXPECT_EQ(element_powers(quantised, 1, {{1, 3}, 0}), (std::vector<double>{0, 1, 0, 1}));
  EXPECT_EQ(element_powers(quantised, 1, {{1, 3}, 1}), (std::vector<double>{0, 1, 2, 1}));
}

TEST(PowerSums, RefusesWhatDoesNotFit) {
  const auto tensor = random_tensor(DType::float32, {2, 3}, 1);
  const std::size_t beyond[] = {2}, twice[] = {1, 1}, first[] = {0};
  EXPECT_THROW(axis_power_sums(tensor, beyond, 1), Error);
  EXPECT_THROW(axis_power_sums(tensor, twice, 1), Error);
  EXPECT_THROW(axis_power_sums(tensor, first, 3), Error);
  EXPECT_THROW(axis_power_sums(tensor, first, 1, {{1, 2}, 1}), Error);
  EXPECT_THROW(axis_power_sums(tensor, first, 1, {{1, 2}, 5}), Error);
  EXPECT_THROW(axis_power_sums(random_tensor(DType::complex64, {2}, 1), first, 1), Error);
  EXPECT_THROW(axis_power_sums(Tensor{DType::string, {0}, {}, nullptr}, first, 1), Error);
  Tensor cut = tensor;
  cut.bytes = cut.bytes.slice(0, 20);
  EXPECT_THROW(axis_power_sums(cut, first, 1), Error);
  const Tensor boundless{DType::float32, {std::int64_t{1} << 60, 0}, {}, nullptr};
  EXPECT_THROW(axis_power_sums(boundless, first, 1), Error);
}

}  // namespace
}  // namespace coppice::tensor
