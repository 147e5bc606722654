#include <algorithm>
#include <limits>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/tensor/kernels.hpp"

namespace coppice::tensor {
namespace {

using Indices = std::vector<std::int64_t>;

TEST(Smallest, PicksByScoreThenIndex) {
  const double scores[] = {3, 1, 2, 1, 1, 0};
  EXPECT_EQ(smallest(scores, 0), Indices{});
  EXPECT_EQ(smallest(scores, 1), (Indices{5}));
  EXPECT_EQ(smallest(scores, 2), (Indices{1, 5}));
  EXPECT_EQ(smallest(scores, 3), (Indices{1, 3, 5}));
  EXPECT_EQ(smallest(scores, 5), (Indices{1, 2, 3, 4, 5}));
  EXPECT_EQ(smallest(scores, 6), (Indices{0, 1, 2, 3, 4, 5}));
}

TEST(Smallest, EqualScoresGoByIndex) {
  const std::vector<double> zeros{0.0, -0.0, 0.0, -0.0};
  EXPECT_EQ(smallest(zeros, 2), (Indices{0, 1}));
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_EQ(smallest(std::vector<double>{infinite, 1, -infinite}, 2), (Indices{1, 2}));
}

TEST(Smallest, AgreesWithAStableSort) {
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    std::vector<double> scores(1 + random() % 300);
    for (double& score : scores) score = static_cast<double>(random() % 20);
    Indices order(scores.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return scores[a] < scores[b]; });
    order.resize(random() % (scores.size() + 1));
    const auto found = smallest(scores, static_cast<std::int64_t>(order.size()));
    std::sort(order.begin(), order.end());
    EXPECT_EQ(found, order);
  }
}

TEST(Smallest, RefusesNaNAndCountsOutOfRange) {
  const double scores[] = {1, std::numeric_limits<double>::quiet_NaN()};
  EXPECT_THROW(smallest(scores, 1), Error);
  EXPECT_THROW(smallest(std::vector<double>{1.0}, 2), Error);
  EXPECT_THROW(smallest(std::vector<double>{1.0}, -1), Error);
}

}  // namespace
}  // namespace coppice::tensor
