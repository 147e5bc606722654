#include "coppice/pruning/schedule.hpp"

#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/pruning/ratio.hpp"

namespace coppice::pruning {
namespace {

TEST(Schedule, NamesGoBothWays) {
  const std::pair<Schedule, const char*> names[] = {{Schedule::one_shot, "one_shot"},
                                                    {Schedule::iterative, "iterative"},
                                                    {Schedule::linear, "linear"},
                                                    {Schedule::cos, "cos"},
                                                    {Schedule::agp, "agp"},
                                                    {Schedule::one_cycle, "one_cycle"},
                                                    {Schedule::dsd, "dsd"}};
  for (const auto& [schedule, name] : names) {
    EXPECT_EQ(to_string(schedule), name);
    EXPECT_EQ(parse_schedule(name), schedule);
  }
  EXPECT_EQ(parse_schedule("lin"), Schedule::linear);
  EXPECT_THROW(parse_schedule("Linear"), Error);
}

TEST(Schedule, ValuesByHand) {
  EXPECT_EQ(progress(Schedule::one_shot, 0.0, 0.1, 0.5), 0.5);
  EXPECT_DOUBLE_EQ(progress(Schedule::linear, 0.25, 0.1, 0.5), 0.2);
  EXPECT_DOUBLE_EQ(progress(Schedule::iterative, 0.0, 0.0, 0.6), 0.0);
  EXPECT_DOUBLE_EQ(progress(Schedule::iterative, 0.01, 0.0, 0.6), 0.2);
  EXPECT_DOUBLE_EQ(progress(Schedule::iterative, 1.0 / 3, 0.0, 0.6), 0.2);
  EXPECT_DOUBLE_EQ(progress(Schedule::iterative, 0.34, 0.0, 0.6), 0.4);
  EXPECT_DOUBLE_EQ(progress(Schedule::cos, 0.5, 0.2, 0.6), 0.4);
  EXPECT_DOUBLE_EQ(progress(Schedule::cos, 1.0 / 3, 0.0, 1.0), 0.25);
  EXPECT_DOUBLE_EQ(progress(Schedule::agp, 0.5, 0.0, 0.8), 0.7);
  EXPECT_DOUBLE_EQ(progress(Schedule::agp, 0.5, 0.4, 0.8), 0.75);
  EXPECT_DOUBLE_EQ(progress(Schedule::dsd, 0.25, 0.2, 0.6), 0.4);
  EXPECT_DOUBLE_EQ(progress(Schedule::dsd, 0.5, 0.2, 0.6), 0.6);
  EXPECT_DOUBLE_EQ(progress(Schedule::dsd, 0.75, 0.2, 0.6), 0.4);
  EXPECT_DOUBLE_EQ(progress(Schedule::dsd, 1.0, 0.2, 0.6), 0.2);
}

// The formulas from 10 % to 60 %, worked out outside this program at 0, 0.1 ... 1.
TEST(Schedule, ElevenPoints) {
  const std::pair<Schedule, std::array<double, 11>> expected[] = {
      {Schedule::one_shot, {0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6}},
      {Schedule::iterative,
       {0.1, 0.266666666667, 0.266666666667, 0.266666666667, 0.433333333333, 0.433333333333, 0.433333333333, 0.6, 0.6,
        0.6, 0.6}},
      {Schedule::linear, {0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6}},
      {Schedule::cos,
       {0.1, 0.112235870926, 0.147745751406, 0.203053686927, 0.272745751406, 0.35, 0.427254248594, 0.496946313073,
        0.552254248594, 0.587764129074, 0.6}},
      {Schedule::agp, {0.1, 0.2355, 0.344, 0.4285, 0.492, 0.5375, 0.568, 0.5865, 0.596, 0.5995, 0.6}},
      {Schedule::one_cycle,
       {0.101236726315, 0.104977570162, 0.119589430717, 0.170949325316, 0.30072348259, 0.465651910731, 0.558567432401,
        0.589223425672, 0.59742366164, 0.599488243472, 0.6}},
      {Schedule::dsd,
       {0.1, 0.147745751406, 0.272745751406, 0.427254248594, 0.552254248594, 0.6, 0.552254248594, 0.427254248594,
        0.272745751406, 0.147745751406, 0.1}},
  };
  for (const auto& [schedule, values] : expected)
    for (int k = 0; k <= 10; ++k)
      EXPECT_NEAR(progress(schedule, k / 10.0, 0.1, 0.6), values[static_cast<std::size_t>(k)], 1e-11)
          << to_string(schedule) << " at " << k;
}

TEST(Schedule, EndsExactly) {
  for (const Schedule schedule :
       {Schedule::one_shot, Schedule::iterative, Schedule::linear, Schedule::cos, Schedule::agp, Schedule::one_cycle}) {
    EXPECT_EQ(progress(schedule, 1.0, 0.0, 0.3), 0.3) << to_string(schedule);
    EXPECT_EQ(progress(schedule, 2.0, 0.0, 0.3), 0.3) << to_string(schedule);
  }
  for (const Schedule schedule : {Schedule::iterative, Schedule::linear, Schedule::cos, Schedule::agp, Schedule::dsd}) {
    EXPECT_EQ(progress(schedule, 0.0, 0.125, 0.3), 0.125) << to_string(schedule);
    EXPECT_EQ(progress(schedule, -1.0, 0.125, 0.3), 0.125) << to_string(schedule);
  }
}

// 40 % over ten epochs of 92 steps, printed at the last step of each.
TEST(Schedule, OneCyclePercentages) {
  const double printed[] = {0.39, 1.54, 5.60, 15.91, 29.13, 36.64, 39.12, 39.79, 39.96, 40.00};
  for (int epoch = 0; epoch < 10; ++epoch) {
    const double pos = (92.0 * (epoch + 1) - 1) / 920;
    EXPECT_NEAR(progress(Schedule::one_cycle, pos, 0, 40), printed[epoch], 0.005) << epoch;
  }
}

TEST(Schedule, StairsInAnyNumber) {
  for (int stairs = 1; stairs <= 60; ++stairs) {
    for (int step = 0; step <= stairs; ++step) {
      ASSERT_NEAR(iterative_progress(static_cast<double>(step) / stairs, stairs), static_cast<double>(step) / stairs,
                  1e-15);
    }
    EXPECT_DOUBLE_EQ(iterative_progress(0.5 / stairs, stairs, 0, stairs), 1);
  }
  EXPECT_THROW(iterative_progress(0.5, 0), Error);
}

TEST(IterativeRatio, FiveLinearStepsToHalf) {
  const double expected[] = {0, 0.1, 0.2, 0.3, 0.4, 0.5};
  for (int step = 0; step <= 5; ++step) EXPECT_DOUBLE_EQ(iterative_ratio(0.5, step, 5), expected[step]);
  // Widths of 64 original channels after each step.
  const std::int64_t widths[] = {64, 57, 51, 44, 38, 32};
  for (int step = 0; step <= 5; ++step) EXPECT_EQ(keep_count(64, iterative_ratio(0.5, step, 5)), widths[step]);
}

TEST(IterativeRatio, NeverGoesBack) {
  for (const Schedule schedule : {Schedule::one_shot, Schedule::iterative, Schedule::linear, Schedule::cos,
                                  Schedule::agp, Schedule::one_cycle, Schedule::dsd}) {
    double last = 0;
    for (int step = 0; step <= 10; ++step) {
      const double ratio = iterative_ratio(0.7, step, 10, schedule);
      EXPECT_GE(ratio, last) << to_string(schedule);
      last = ratio;
    }
    EXPECT_DOUBLE_EQ(last, 0.7) << to_string(schedule);
  }
  EXPECT_THROW(iterative_ratio(0.5, 1, 0), Error);
  EXPECT_THROW(iterative_ratio(0.5, 3, 2), Error);
  EXPECT_THROW(iterative_ratio(0.5, -1, 2), Error);
  EXPECT_THROW(geometric_ratio(0.5, 3, 2), Error);
}

// Three rounds to 7/8: half of what is left goes each time.
TEST(GeometricRatio, TakesTheSameShareOfWhatIsLeft) {
  const double expected[] = {0, 0.5, 0.75, 0.875};
  for (int step = 0; step <= 3; ++step) EXPECT_NEAR(geometric_ratio(0.875, step, 3), expected[step], 1e-15);
  EXPECT_EQ(geometric_ratio(0.8, 7, 7), 0.8);
  EXPECT_EQ(geometric_ratio(1, 1, 2), 1);
}

}  // namespace
}  // namespace coppice::pruning
