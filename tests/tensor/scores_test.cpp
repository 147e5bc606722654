#include "coppice/tensor/scores.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/tensor/kernels.hpp"

#include "random_tensor.hpp"

namespace coppice::tensor {
namespace {

std::vector<double> naive_fpgm(const Tensor& weight, std::size_t axis) {
  std::vector<double> out;
  std::vector<std::vector<long double>> slices(static_cast<std::size_t>(weight.shape[axis]));
  std::int64_t inner = 1;
  for (std::size_t i = axis + 1; i < weight.shape.size(); ++i) inner *= weight.shape[i];
  for (std::int64_t at = 0; at < weight.elements(); ++at) {
    slices[static_cast<std::size_t>(at / inner % weight.shape[axis])].push_back(element_as_double(weight, at));
  }
  for (const auto& a : slices) {
    long double total = 0;
    for (const auto& b : slices) {
      long double squared = 0;
      for (std::size_t k = 0; k < a.size(); ++k) squared += (a[k] - b[k]) * (a[k] - b[k]);
      total += std::sqrt(squared);
    }
    out.push_back(static_cast<double>(total));
  }
  return out;
}

void expect_near(const std::vector<double>& found, const std::vector<double>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], 1e-9 * expected[i]) << i;
}

TEST(Fpgm, DistancesByHand) {
  // Three points of the plane: a 3-4-5 triangle.
  const float points[] = {0, 0, 3, 0, 3, 4};
  EXPECT_EQ(fpgm_scores(Tensor::of<float>(DType::float32, {3, 2}, points), 0), (std::vector<double>{8, 7, 9}));
  const double columns[] = {0, 3, 3, 0, 0, 4};
  EXPECT_EQ(fpgm_scores(Tensor::of<double>(DType::float64, {2, 3}, columns), 1), (std::vector<double>{8, 7, 9}));
  // The same triangle, each point moved by its own zero point.
  const std::int8_t moved[] = {5, 5, 3, 0, 1, 2};
  EXPECT_EQ(fpgm_scores(Tensor::of<std::int8_t>(DType::int8, {3, 2}, moved), 0, {{5, 0, -2}, 0}),
            (std::vector<double>{8, 7, 9}));
}

TEST(Fpgm, EqualSlicesAreAtDistanceZero) {
  const Tensor one = random_tensor(DType::float32, {1, 1000}, 3);
  const std::vector<std::int64_t> copies(5, 0);
  EXPECT_EQ(fpgm_scores(gather_axes(one, {{0, copies}}), 0), std::vector<double>(5, 0.0));
  const Tensor wide = random_tensor(DType::float64, {1, 1000}, 3);
  EXPECT_EQ(fpgm_scores(gather_axes(wide, {{0, copies}}), 0), std::vector<double>(5, 0.0));
}

TEST(Fpgm, AgreesWithALoopForTypesAndAxes) {
  const Shape shapes[] = {{1}, {5}, {7, 13}, {200, 3}, {3, 200}, {6, 5, 3, 3}, {2, 3, 4, 2, 3}};
  for (const DType type : {DType::float32, DType::float64, DType::float16, DType::bfloat16, DType::int8, DType::uint8,
                           DType::int16, DType::int32}) {
    for (const Shape& shape : shapes) {
      SCOPED_TRACE(std::string(name(type)) + " " + to_string(shape));
      const Tensor weight = shifted(random_tensor(type, shape, 8), 3);
      for (std::size_t axis = 0; axis < shape.size(); ++axis) {
        expect_near(fpgm_scores(weight, axis), naive_fpgm(weight, axis));
      }
    }
  }
}

TEST(Fpgm, SameBitsForEveryNumberOfThreads) {
  const Tensor weight = random_tensor(DType::float32, {401, 300}, 4);
  base::set_thread_count(1);
  const auto one = fpgm_scores(weight, 0);
  expect_near(one, naive_fpgm(weight, 0));
  for (const int threads : {2, 7}) {
    const Threads scope(threads);
    EXPECT_EQ(fpgm_scores(weight, 0), one);
  }
}

TEST(Fpgm, EmptyAndRefused) {
  EXPECT_EQ(fpgm_scores(random_tensor(DType::float32, {3, 0}, 1), 0), std::vector<double>(3, 0.0));
  EXPECT_TRUE(fpgm_scores(random_tensor(DType::float32, {0, 3}, 1), 0).empty());
  EXPECT_THROW(fpgm_scores(Tensor::scalar(1.0f), 0), Error);
  EXPECT_THROW(fpgm_scores(random_tensor(DType::complex64, {2, 2}, 1), 0), Error);
  EXPECT_THROW(fpgm_scores(random_tensor(DType::int8, {2, 3}, 1), 0, {{1, 2}, 1}), Error);
}

TEST(Lamp, SharesOfWhatIsLeftByHand) {
  const double scores[] = {4, 1, 3, 2};
  EXPECT_EQ(lamp_scores(scores), (std::vector<double>{1, 0.1, 3.0 / 7, 2.0 / 9}));
}

TEST(Lamp, EqualScoresRankByIndex) {
  const double scores[] = {1, 1, 2};
  EXPECT_EQ(lamp_scores(scores), (std::vector<double>{0.25, 1.0 / 3, 1}));
  const double zeros[] = {0, 0};
  EXPECT_EQ(lamp_scores(zeros), (std::vector<double>{0, 0}));
  EXPECT_TRUE(lamp_scores({}).empty());
}

TEST(Lamp, RefusesNegativeScoresAndOthersWithoutQuotients) {
  const double negative[] = {1, -1}, nan[] = {std::numeric_limits<double>::quiet_NaN()},
               infinite[] = {1, std::numeric_limits<double>::infinity()};
  EXPECT_THROW(lamp_scores(negative), Error);
  EXPECT_THROW(lamp_scores(nan), Error);
  EXPECT_THROW(lamp_scores(infinite), Error);
}

}  // namespace
}  // namespace coppice::tensor
