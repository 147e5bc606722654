#include "coppice/base/checked.hpp"

#include <gtest/gtest.h>

namespace coppice::base {
namespace {

TEST(Checked, Products) {
  EXPECT_EQ(checked_mul(3, 4), 12);
  EXPECT_EQ(checked_mul(0, INT64_MAX), 0);
  EXPECT_EQ(checked_mul(1LL << 31, 1LL << 31), 1LL << 62);
  EXPECT_EQ(checked_mul(1LL << 32, 1LL << 31), std::nullopt);
  EXPECT_EQ(checked_mul(-1, 5), std::nullopt);
  EXPECT_EQ(checked_mul(5, -1), std::nullopt);
}

TEST(Checked, Sums) {
  EXPECT_EQ(checked_add(3, 4), 7);
  EXPECT_EQ(checked_add(INT64_MAX, 1), std::nullopt);
}

TEST(Checked, ProductsOfShapes) {
  const std::int64_t plain[] = {2, 3, 4}, negative[] = {0, -1}, huge[] = {1LL << 40, 1LL << 40};
  const std::int64_t empty[] = {1LL << 40, 1LL << 40, 0};
  EXPECT_EQ(checked_product(plain), 24);
  EXPECT_EQ(checked_product({}), 1);
  EXPECT_EQ(checked_product(negative), std::nullopt);
  EXPECT_EQ(checked_product(huge), std::nullopt);
  EXPECT_EQ(checked_product(empty), 0);
}

}  // namespace
}  // namespace coppice::base
