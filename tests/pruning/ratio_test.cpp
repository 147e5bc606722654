#include "coppice/pruning/ratio.hpp"

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"

namespace coppice::pruning {
namespace {

TEST(Ratio, PercentAndFraction) {
  for (const char* text : {"30", "30%", "0.3", ".3", "0.30", "30.0", "30.0%", "3e1"}) {
    EXPECT_DOUBLE_EQ(parse_ratio(text), 0.3) << text;
  }
  EXPECT_EQ(parse_ratio("0"), 0.0);
  EXPECT_EQ(parse_ratio("0%"), 0.0);
  EXPECT_DOUBLE_EQ(parse_ratio("1%"), 0.01);
  EXPECT_DOUBLE_EQ(parse_ratio("0.5%"), 0.005);
  EXPECT_DOUBLE_EQ(parse_ratio("1.5"), 0.015);
  EXPECT_DOUBLE_EQ(parse_ratio("99.9"), 0.999);
}

TEST(Ratio, RefusesAnythingElse) {
  for (const char* text : {"",    "%",    "1",    "1.0", "100",  "100%", "101",   "-1",   "-0.1",   "+0.3", "nan",
                           "inf", "0.3x", "30 %", " 30", "30%%", "0,3",  "1e400", "half", "0x1p-2", "."}) {
    EXPECT_THROW(parse_ratio(text), Error) << text;
  }
}

TEST(Sparsity, MayBeAllOfIt) {
  for (const char* text : {"100", "100%", "100.0%"}) EXPECT_EQ(parse_sparsity(text), 1.0) << text;
  for (const char* text : {"30", "30%", "0.3"}) EXPECT_DOUBLE_EQ(parse_sparsity(text), 0.3) << text;
  EXPECT_EQ(parse_sparsity("0"), 0.0);
  for (const char* text : {"", "1", "100.1", "101%", "-1", "nan", "inf", "half"})
    EXPECT_THROW(parse_sparsity(text), Error) << text;
}

TEST(KeepCount, CutsTowardZero) {
  EXPECT_EQ(keep_count(64, 0.3), 44);
  EXPECT_EQ(keep_count(128, 0.4), 76);
  EXPECT_EQ(keep_count(256, 0.6), 102);
  EXPECT_EQ(keep_count(512, 0.8), 102);
  EXPECT_EQ(keep_count(64, 0.2), 51);
  EXPECT_EQ(keep_count(64, 0.0), 64);
}

TEST(KeepCount, RoundingErrorsDoNotCostAUnit) {
  EXPECT_EQ(keep_count(10, 0.9), 1);  // 10 * (1 - 0.9) is 0.99999...
  EXPECT_EQ(keep_count(100, 0.42), 58);
  EXPECT_EQ(keep_count(1000, parse_ratio("32.1%")), 679);
}

TEST(KeepCount, AtLeastOneStays) {
  EXPECT_EQ(keep_count(1, 0.99), 1);
  EXPECT_EQ(keep_count(3, 0.9), 1);
  EXPECT_EQ(keep_count(3, 1.0), 1);
  EXPECT_EQ(keep_count(0, 0.5), 0);
  EXPECT_THROW(keep_count(-1, 0.5), Error);
  EXPECT_THROW(keep_count(4, 1.5), Error);
  EXPECT_THROW(keep_count(4, -0.1), Error);
}

TEST(RoundToMultiple, NearestLegal) {
  EXPECT_EQ(round_to_multiple(44, 64, 16), 48);
  EXPECT_EQ(round_to_multiple(39, 64, 16), 32);
  EXPECT_EQ(round_to_multiple(40, 64, 16), 48);  // halfway: the larger
  EXPECT_EQ(round_to_multiple(48, 64, 16), 48);
  EXPECT_EQ(round_to_multiple(63, 64, 16), 64);
  EXPECT_EQ(round_to_multiple(7, 64, 1), 7);
  EXPECT_EQ(round_to_multiple(5, 7, 3), 6);
}

TEST(RoundToMultiple, StaysWithinTheGroup) {
  EXPECT_EQ(round_to_multiple(3, 64, 16), 16);  // never zero
  EXPECT_EQ(round_to_multiple(0, 64, 16), 16);
  EXPECT_EQ(round_to_multiple(23, 24, 16), 16);  // 32 would be more than there are
  EXPECT_EQ(round_to_multiple(24, 24, 16), 24);  // nothing to remove: nothing to round
  EXPECT_EQ(round_to_multiple(5, 10, 16), 10);   // no legal multiple
  EXPECT_EQ(round_to_multiple(0, 0, 8), 0);
  EXPECT_THROW(round_to_multiple(3, 8, 0), Error);
  EXPECT_THROW(round_to_multiple(9, 8, 4), Error);
  EXPECT_THROW(round_to_multiple(-1, 8, 4), Error);
}

TEST(RoundToMultiple, AgreesWithASearch) {
  for (std::int64_t units = 1; units <= 40; ++units) {
    for (std::int64_t multiple = 1; multiple <= units; ++multiple) {
      for (std::int64_t keep = 0; keep < units; ++keep) {
        std::int64_t best = multiple;
        for (std::int64_t candidate = multiple; candidate <= units; candidate += multiple) {
          if (std::abs(candidate - keep) <= std::abs(best - keep)) best = candidate;
        }
        ASSERT_EQ(round_to_multiple(keep, units, multiple), best) << keep << " of " << units << " by " << multiple;
      }
    }
  }
}

}  // namespace
}  // namespace coppice::pruning
