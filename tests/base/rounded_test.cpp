#include "coppice/base/rounded.hpp"

#include <gtest/gtest.h>

namespace coppice::base {
namespace {

TEST(Rounded, GoesToTheNearest) {
  EXPECT_EQ(rounded(0.0), 0);
  EXPECT_EQ(rounded(2.4), 2);
  EXPECT_EQ(rounded(2.5), 3);
  EXPECT_EQ(rounded(-2.6), -3);
  EXPECT_EQ(rounded(4611686018427387904.0), 1LL << 62);
}

TEST(Rounded, StaysWithinInt64) {
  constexpr double edge = 9223372036854775808.0;  // 2^63
  EXPECT_EQ(rounded(edge), INT64_MAX);
  EXPECT_EQ(rounded(9223372036854774784.0), INT64_MAX - 1023);  // the double below
  EXPECT_EQ(rounded(5.9e20), INT64_MAX);
  EXPECT_EQ(rounded(std::numeric_limits<double>::infinity()), INT64_MAX);
  EXPECT_EQ(rounded(-edge), INT64_MIN);
  EXPECT_EQ(rounded(-1e300), INT64_MIN);
  EXPECT_EQ(rounded(std::nan("")), 0);
}

}  // namespace
}  // namespace coppice::base
