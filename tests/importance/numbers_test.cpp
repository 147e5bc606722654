#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/importance/criterion.hpp"
#include "coppice/importance/normalizer.hpp"
#include "coppice/importance/reduction.hpp"

namespace coppice::importance {
namespace {

using Numbers = std::vector<double>;

template <class Parse>
std::string message_of(Parse parse) {
  try {
    parse("nonsense");
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Criterion, NamesGoBothWays) {
  const std::pair<Criterion, const char*> names[] = {{Criterion::large_final, "large_final"},
                                                     {Criterion::l2, "l2"},
                                                     {Criterion::small_final, "small_final"},
                                                     {Criterion::random, "random"},
                                                     {Criterion::fpgm, "fpgm"},
                                                     {Criterion::bn_scale, "bn_scale"},
                                                     {Criterion::lamp, "lamp"}};
  for (const auto& [criterion, name] : names) {
    EXPECT_EQ(to_string(criterion), name);
    EXPECT_EQ(parse_criterion(name), criterion);
  }
  EXPECT_EQ(message_of(parse_criterion),
            "criterion: expected large_final, l2, small_final, random, bn_scale, fpgm or lamp, found 'nonsense'");
}

TEST(Criterion, PowerOfWeights) {
  EXPECT_EQ(power_of(Criterion::large_final), 1);
  EXPECT_EQ(power_of(Criterion::small_final), 1);
  EXPECT_EQ(power_of(Criterion::bn_scale), 1);
  EXPECT_EQ(power_of(Criterion::l2), 2);
  EXPECT_EQ(power_of(Criterion::lamp), 2);
}

TEST(RandomScore, IsTheSameOnEveryMachine) {
  EXPECT_EQ(random_score(0, 0, 0), static_cast<double>(0x4704eb7871f97) * 0x1p-53);
  EXPECT_EQ(random_score(0, 0, 1), static_cast<double>(0x5e654f092d8cf) * 0x1p-53);
  EXPECT_EQ(random_score(0, 1, 0), static_cast<double>(0x89cb7302018cf) * 0x1p-53);
  EXPECT_EQ(random_score(42, 3, 17), static_cast<double>(0x13cbf8ee3af0d6) * 0x1p-53);
}

TEST(RandomScore, IsUniform) {
  double sum = 0, squares = 0;
  for (std::uint64_t unit = 0; unit < 20000; ++unit) {
    const double score = random_score(7, unit % 10, unit / 10);
    ASSERT_GE(score, 0.0);
    ASSERT_LT(score, 1.0);
    sum += score;
    squares += score * score;
  }
  EXPECT_NEAR(sum / 20000, 0.5, 0.01);
  EXPECT_NEAR(squares / 20000, 1.0 / 3, 0.01);
}

TEST(Reduction, NamesGoBothWays) {
  const std::pair<Reduction, const char*> names[] = {{Reduction::mean, "mean"},
                                                     {Reduction::sum, "sum"},
                                                     {Reduction::max, "max"},
                                                     {Reduction::prod, "prod"},
                                                     {Reduction::first, "first"}};
  for (const auto& [reduction, name] : names) {
    EXPECT_EQ(to_string(reduction), name);
    EXPECT_EQ(parse_reduction(name), reduction);
  }
  EXPECT_EQ(message_of(parse_reduction), "reduction: expected mean, sum, max, prod or first, found 'nonsense'");
}

TEST(Reduction, ReducesByHand) {
  const Numbers scores{1, 2, 3, -4, 5, 6};  // three members, two units
  EXPECT_EQ(reduce(Reduction::mean, scores, 3, 2), (Numbers{3, 4.0 / 3}));
  EXPECT_EQ(reduce(Reduction::sum, scores, 3, 2), (Numbers{9, 4}));
  EXPECT_EQ(reduce(Reduction::max, scores, 3, 2), (Numbers{5, 6}));
  EXPECT_EQ(reduce(Reduction::prod, scores, 3, 2), (Numbers{15, -48}));
  EXPECT_EQ(reduce(Reduction::first, scores, 3, 2), (Numbers{1, 2}));
}

TEST(Reduction, EmptyAndRefused) {
  EXPECT_EQ(reduce(Reduction::mean, {}, 0, 2), (Numbers{0, 0}));
  EXPECT_EQ(reduce(Reduction::mean, {}, 3, 0), Numbers{});
  EXPECT_THROW(reduce(Reduction::sum, Numbers{1, 2, 3}, 2, 2), Error);
  EXPECT_THROW(reduce(Reduction::sum, Numbers{1}, 1, 0), Error);
}

TEST(Normalizer, NamesGoBothWays) {
  const std::pair<Normalizer, const char*> names[] = {
      {Normalizer::none, "none"}, {Normalizer::mean, "mean"},       {Normalizer::sum, "sum"},
      {Normalizer::max, "max"},   {Normalizer::min_max, "min_max"}, {Normalizer::gaussian, "gaussian"},
      {Normalizer::lamp, "lamp"}};
  for (const auto& [normalizer, name] : names) {
    EXPECT_EQ(to_string(normalizer), name);
    EXPECT_EQ(parse_normalizer(name), normalizer);
  }
  EXPECT_EQ(message_of(parse_normalizer),
            "normalizer: expected none, mean, sum, max, min_max, gaussian or lamp, found 'nonsense'");
}

TEST(Normalizer, NormalizesByHand) {
  const Numbers scores{1, 2, 5, 0};
  EXPECT_EQ(normalize(Normalizer::none, scores), scores);
  EXPECT_EQ(normalize(Normalizer::mean, scores), (Numbers{0.5, 1, 2.5, 0}));
  EXPECT_EQ(normalize(Normalizer::sum, scores), (Numbers{0.125, 0.25, 0.625, 0}));
  EXPECT_EQ(normalize(Normalizer::max, scores), (Numbers{0.2, 0.4, 1, 0}));
  EXPECT_EQ(normalize(Normalizer::min_max, scores), (Numbers{0.2, 0.4, 1, 0}));
  EXPECT_EQ(normalize(Normalizer::lamp, scores), (Numbers{1.0 / 8, 2.0 / 7, 1, 0}));
  // Mean 2, squared differences 1 + 0 + 9 + 4 over 3.
  const double deviation = std::sqrt(14.0 / 3) + 1e-8;
  EXPECT_EQ(normalize(Normalizer::gaussian, scores), (Numbers{-1 / deviation, 0, 3 / deviation, -2 / deviation}));
}

TEST(Normalizer, NeverReversesTheOrder) {
  const Numbers scores{-1, -2, -5, -4};
  for (const Normalizer normalizer :
       {Normalizer::mean, Normalizer::sum, Normalizer::max, Normalizer::min_max, Normalizer::gaussian}) {
    const Numbers out = normalize(normalizer, scores);
    EXPECT_GT(out[0], out[1]) << to_string(normalizer);
    EXPECT_GT(out[1], out[3]) << to_string(normalizer);
    EXPECT_GT(out[3], out[2]) << to_string(normalizer);
  }
  EXPECT_THROW(normalize(Normalizer::lamp, scores), Error);
}

TEST(Normalizer, DegenerateGroups) {
  for (const Normalizer normalizer : {Normalizer::none, Normalizer::mean, Normalizer::sum, Normalizer::max,
                                      Normalizer::min_max, Normalizer::gaussian, Normalizer::lamp}) {
    EXPECT_EQ(normalize(normalizer, Numbers{}), Numbers{});
    EXPECT_EQ(normalize(normalizer, Numbers{0, 0, 0}), (Numbers{0, 0, 0})) << to_string(normalizer);
  }
  EXPECT_EQ(normalize(Normalizer::min_max, Numbers{3, 3}), (Numbers{0, 0}));
  EXPECT_EQ(normalize(Normalizer::gaussian, Numbers{3}), (Numbers{0}));
}

}  // namespace
}  // namespace coppice::importance
