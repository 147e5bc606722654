#include <set>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"

#include "data/small.hpp"

namespace coppice::data {
namespace {

TEST(Crops, TakeAPieceOfEachPicture) {
  const at::Tensor pictures = at::arange(2 * 1 * 3 * 4, at::kFloat).reshape({2, 1, 3, 4});
  Draws draws(1, 0, 0);
  EXPECT_TRUE(centre_crop(1)(pictures, draws).flatten().equal(at::tensor({5.f, 17.f})));
  std::set<float> corners;
  for (int i = 0; i < 200; ++i) {
    const at::Tensor out = random_crop(2)(pictures, draws);
    ASSERT_EQ(out.sizes(), (std::vector<std::int64_t>{2, 1, 2, 2}));
    const float corner = out[1][0][0][0].item<float>();
    EXPECT_TRUE(out[1].flatten().equal(at::tensor({corner, corner + 1, corner + 4, corner + 5})));
    corners.insert(corner);
  }
  EXPECT_EQ(corners, (std::set<float>{12, 13, 14, 16, 17, 18}));
  EXPECT_THROW(random_crop(4)(pictures, draws), Error);
  EXPECT_THROW(centre_crop(4)(pictures, draws), Error);
  EXPECT_THROW(centre_crop(1)(pictures[0], draws), Error);
  EXPECT_THROW(random_crop(0), Error);
}

TEST(Crops, ScaleAPieceOfEachPicture) {
  // Brightness falls from left to right and pixels tell their column: scaled, a piece is still such a slope.
  const at::Tensor slope = at::arange(12, at::kFloat).expand({40, 2, 9, 12}).contiguous();
  Draws draws(3, 0, 0);
  const at::Tensor out = random_resized_crop(4, 0.1)(slope, draws);
  ASSERT_EQ(out.sizes(), (std::vector<std::int64_t>{40, 2, 4, 4}));
  EXPECT_TRUE(out.select(2, 0).allclose(out.select(2, 3)));  // weights add up to 1 but for rounding
  EXPECT_TRUE(out.select(1, 0).equal(out.select(1, 1)));
  const at::Tensor width = out.select(1, 0).select(1, 0).select(1, 3) - out.select(1, 0).select(1, 0).select(1, 0);
  EXPECT_GT(width.min().item<float>(), 0);
  // The smallest piece has a tenth of 108 pixels and is 4 by 3, 3 by 4 or so, the largest all of them.
  EXPECT_LT(width.min().item<float>(), 4);
  EXPECT_GT(width.max().item<float>(), 6);
  // The whole picture of the right ratio is only scaled: 12 to 6, whose pixels lie between two and two.
  const at::Tensor square = at::arange(12, at::kFloat).expand({1, 1, 12, 12}).contiguous();
  for (int i = 0; i < 20; ++i) {
    const at::Tensor most = random_resized_crop(6, 1)(square, draws);
    EXPECT_GE(most.select(3, 5).min().item<float>() - most.select(3, 0).max().item<float>(), 7);
  }
  Draws first(5, 1, 2), second(5, 1, 2);
  EXPECT_TRUE(random_resized_crop(4, 0.1)(slope, first).equal(random_resized_crop(4, 0.1)(slope, second)));
  EXPECT_THROW(random_resized_crop(4, 0), Error);
  EXPECT_THROW(random_resized_crop(4, 1.1), Error);
  EXPECT_THROW(random_resized_crop(0, 0.5), Error);
}

TEST(Draws, GiveUnits) {
  Draws draws(1, 2, 3);
  double least = 1, most = 0;
  for (int i = 0; i < 1000; ++i) {
    const double draw = draws.unit();
    least = std::min(least, draw);
    most = std::max(most, draw);
  }
  EXPECT_GE(least, 0);
  EXPECT_LT(least, 0.01);
  EXPECT_GT(most, 0.99);
  EXPECT_LT(most, 1);
}

}  // namespace
}  // namespace coppice::data
