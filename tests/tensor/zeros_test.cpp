#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/tensor/kernels.hpp"

#include "random_tensor.hpp"

namespace coppice::tensor {
namespace {

using Indices = std::vector<std::int64_t>;

template <class T>
std::vector<T> values(const Tensor& tensor) {
  const auto span = tensor.as<T>();
  return {span.begin(), span.end()};
}

TEST(ZeroAxes, ZeroesSlicesByHand) {
  const std::vector<float> numbers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  const auto tensor = Tensor::of<float>(DType::float32, {3, 4}, numbers);
  EXPECT_EQ(values<float>(zero_axes(tensor, {{0, Indices{1}}})),
            (std::vector<float>{1, 2, 3, 4, 0, 0, 0, 0, 9, 10, 11, 12}));
  EXPECT_EQ(values<float>(zero_axes(tensor, {{1, Indices{0, 3}}, {0, Indices{2}}})),
            (std::vector<float>{0, 2, 3, 0, 0, 6, 7, 0, 0, 0, 0, 0}));
  EXPECT_EQ(values<float>(tensor), numbers);
}

TEST(ZeroAxes, WritesTheZeroPoint) {
  const std::int8_t numbers[] = {1, 2, 3, 4, 5, 6};
  const auto tensor = Tensor::of<std::int8_t>(DType::int8, {2, 3}, numbers);
  EXPECT_EQ(values<std::int8_t>(zero_axes(tensor, {{1, Indices{2}}}, {{-7}, 0})),
            (std::vector<std::int8_t>{1, 2, -7, 4, 5, -7}));
  EXPECT_EQ(values<std::int8_t>(zero_axes(tensor, {{1, Indices{2}}}, {{-7, 8}, 0})),
            (std::vector<std::int8_t>{1, 2, -7, 4, 5, 8}));
  EXPECT_EQ(values<std::int8_t>(zero_axes(tensor, {{0, Indices{0}}}, {{7, 8, 9}, 1})),
            (std::vector<std::int8_t>{7, 8, 9, 4, 5, 6}));
}

TEST(ZeroAxes, PackedElementsShareBytes) {
  const std::uint8_t packed[] = {0x21, 0x43, 0x65};
  const auto tensor = Tensor::of<std::uint8_t>(DType::uint4, {2, 3}, packed);
  EXPECT_EQ(values<std::uint8_t>(zero_axes(tensor, {{1, Indices{0}}})), (std::vector<std::uint8_t>{0x20, 0x03, 0x65}));
  EXPECT_EQ(values<std::uint8_t>(zero_axes(tensor, {{0, Indices{1}}}, {{8}, 0})),
            (std::vector<std::uint8_t>{0x21, 0x83, 0x88}));
  Tensor sixes = tensor;
  sixes.dtype = DType::int4;
  EXPECT_EQ(values<std::uint8_t>(zero_axes(sixes, {{0, Indices{0}}}, {{-1}, 0})),
            (std::vector<std::uint8_t>{0xff, 0x4f, 0x65}));
}

TEST(ZeroAxes, LeavesNothingButZerosInASliceOfAnyType) {
  for (int code = 1; code <= 23; ++code) {
    const auto type = static_cast<DType>(code);
    if (type == DType::string) continue;
    const Tensor tensor = shifted(random_tensor(type, {3, 5, 3}, 40), 1);
    const Indices all{0, 1, 2}, some{1, 4};
    const Tensor none = zero_axes(tensor, {{0, all}});
    EXPECT_EQ(none.shape, tensor.shape);
    EXPECT_EQ(count_zeros(none), 45) << name(type);
    const Tensor part = zero_axes(tensor, {{1, some}});
    const Indices kept{0, 2, 3};
    EXPECT_EQ(count_zeros(gather_axes(part, {{1, some}})), 18) << name(type);
    EXPECT_EQ(count_zeros(part), 18 + count_zeros(gather_axes(tensor, {{1, kept}}))) << name(type);
  }
}

TEST(ZeroAxes, NothingRemovedSharesTheBytes) {
  const Tensor tensor = random_tensor(DType::float32, {3, 2}, 3);
  EXPECT_EQ(zero_axes(tensor, {{0, {}}}).bytes.data(), tensor.bytes.data());
  const Tensor empty = random_tensor(DType::float32, {3, 0}, 3);
  EXPECT_EQ(zero_axes(empty, {{0, Indices{1}}}).shape, (Shape{3, 0}));
}

TEST(ZeroAxes, RefusesWhatDoesNotFit) {
  const Tensor tensor = random_tensor(DType::int8, {3, 2}, 3);
  const Indices beyond{3}, fine{0};
  EXPECT_THROW(zero_axes(tensor, {{0, beyond}}), Error);
  EXPECT_THROW(zero_axes(tensor, {{2, fine}}), Error);
  EXPECT_THROW(zero_axes(tensor, {{0, fine}, {0, fine}}), Error);
  EXPECT_THROW(zero_axes(tensor, {{0, fine}}, {{128}, 0}), Error);
  EXPECT_THROW(zero_axes(tensor, {{0, fine}}, {{0.5}, 0}), Error);
  EXPECT_THROW(zero_axes(tensor, {{0, fine}}, {{1, 2}, 0}), Error);
  EXPECT_THROW(zero_axes(random_tensor(DType::float8e5m2, {2}, 1), {{0, fine}}, {{1}, 0}), Error);
}

TEST(CountZeros, CountsBothSigns) {
  const float floats[] = {0.0f, -0.0f, 1e-45f, 1};
  EXPECT_EQ(count_zeros(Tensor::of<float>(DType::float32, {4}, floats)), 2);
  const double doubles[] = {0.0, -0.0, 5e-324};
  EXPECT_EQ(count_zeros(Tensor::of<double>(DType::float64, {3}, doubles)), 2);
  const std::uint16_t halves[] = {0, 0x8000, 1, 0x8001};
  EXPECT_EQ(count_zeros(Tensor::of<std::uint16_t>(DType::float16, {4}, halves)), 2);
  EXPECT_EQ(count_zeros(Tensor::of<std::uint16_t>(DType::bfloat16, {4}, halves)), 2);
  EXPECT_EQ(count_zeros(Tensor::of<std::uint16_t>(DType::uint16, {4}, halves)), 1);
  EXPECT_EQ(count_zeros(Tensor::of<std::uint16_t>(DType::int16, {4}, halves)), 1);
  const std::uint8_t bytes[] = {0, 0x80, 1, 0};
  EXPECT_EQ(count_zeros(Tensor::of<std::uint8_t>(DType::float8e5m2, {4}, bytes)), 3);
  EXPECT_EQ(count_zeros(Tensor::of<std::uint8_t>(DType::float8e5m2fnuz, {4}, bytes)), 2);  // 0x80 is NaN there
  EXPECT_EQ(count_zeros(Tensor::of<std::uint8_t>(DType::int8, {4}, bytes)), 2);
  const float complex[] = {0, 0, 0, 1, -0.0f, 0, 1, 0};
  EXPECT_EQ(count_zeros(Tensor::of<float>(DType::complex64, {4}, complex)), 2);
  const std::uint8_t packed[] = {0x80, 0x01, 0x0f};  // 0, 8, 1, 0, 15
  EXPECT_EQ(count_zeros(Tensor::of<std::uint8_t>(DType::int4, {5}, packed)), 2);
  EXPECT_EQ(count_zeros(Tensor::of<std::uint8_t>(DType::float4e2m1, {5}, packed)), 3);
}

TEST(CountZeros, CountsZeroPoints) {
  const std::uint8_t bytes[] = {128, 0, 3, 128, 3, 3};
  const auto tensor = Tensor::of<std::uint8_t>(DType::uint8, {2, 3}, bytes);
  EXPECT_EQ(count_zeros(tensor), 1);
  EXPECT_EQ(count_zeros(tensor, {{128}, 0}), 2);
  EXPECT_EQ(count_zeros(tensor, {{128, 3}, 0}), 3);
  EXPECT_EQ(count_zeros(tensor, {{128, 3, 3}, 1}), 5);
}

TEST(CountZeros, BigTensorsForEveryNumberOfThreads) {
  std::vector<float> numbers(1000003);
  std::int64_t expected = 0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = i % 7 < 3 ? 0.0f : 1.0f;
    expected += i % 7 < 3;
  }
  const auto tensor = shifted(Tensor::of<float>(DType::float32, {1000003}, numbers), 3);
  for (const int threads : {1, 2, 7}) {
    const Threads scope(threads);
    EXPECT_EQ(count_zeros(tensor), expected);
  }
  EXPECT_EQ(count_zeros(random_tensor(DType::float32, {0}, 1)), 0);
  EXPECT_EQ(count_zeros(Tensor::scalar(0.0f)), 1);
}

}  // namespace
}  // namespace coppice::tensor
