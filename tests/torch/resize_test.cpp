#include <gtest/gtest.h>

#include "support/ort_referee.hpp"
#include "support/runtime_case.hpp"

namespace coppice {
namespace {

using graph::attr;
using test::differs_from_runtime;
using Attributes = std::vector<graph::Attribute>;
using Numbers = std::vector<std::int64_t>;
using Reals = std::vector<float>;

class Resize : public testing::Test {
 protected:
  void SetUp() override {
    COPPICE_NEEDS_REFEREE();
    at::manual_seed(1);
  }
  at::Tensor x_ = at::randn({2, 3, 7, 6});
};

std::string scaled(const at::Tensor& x, Reals scales, Attributes attributes, std::int64_t opset = 19) {
  return differs_from_runtime({"Resize", {x, {}, at::tensor(scales)}, std::move(attributes), 1, {}, opset});
}
std::string sized(const at::Tensor& x, Numbers sizes, Attributes attributes, std::int64_t opset = 19) {
  return differs_from_runtime({"Resize", {x, {}, {}, at::tensor(sizes)}, std::move(attributes), 1, {}, opset});
}
graph::Attribute text(const char* name, const char* value) {
  return attr(name, std::string(value));
}

TEST_F(Resize, Nearest) {
  for (const char* coordinates : {"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"})
    for (const char* rounding : {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"}) {
      const Attributes attributes{text("mode", "nearest"), text("coordinate_transformation_mode", coordinates),
                                  text("nearest_mode", rounding)};
      EXPECT_EQ(scaled(x_, {1, 1, 2, 3}, attributes), "") << coordinates << rounding;
      EXPECT_EQ(sized(x_, {2, 3, 5, 11}, attributes), "") << coordinates << rounding;
    }
}

// Where a coordinate falls on the border of two elements, 32-bit floats decide.
TEST_F(Resize, NearestByFractions) {
  const at::Tensor line = at::randn({1, 1, 1, 33});
  for (const float scale : {0.3f, 0.6f, 0.7f, 1.1f, 1.2f, 1.7f}) {
    for (const char* coordinates : {"half_pixel", "asymmetric", "pytorch_half_pixel"})
      for (const char* rounding : {"round_prefer_floor", "floor", "ceil"})
        EXPECT_EQ(scaled(line, {1, 1, 1, scale},
                         {text("coordinate_transformation_mode", coordinates), text("nearest_mode", rounding)}),
                  "")
            << scale << coordinates << rounding;
    EXPECT_EQ(differs_from_runtime({"Resize", {line, at::tensor(Reals{1, 1, 1, scale})}, {}, 1, {}, 10}), "") << scale;
  }
  for (const float factor : {41.0f, 47.0f})
    EXPECT_EQ(scaled(line, {1, 1, 1, factor},
                     {text("coordinate_transformation_mode", "asymmetric"), text("nearest_mode", "floor")}),
              "")
        << factor;
}

TEST_F(Resize, LinearAndCubic) {
  for (const char* mode : {"linear", "cubic"})
    for (const char* coordinates : {"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"}) {
      const Attributes attributes{text("mode", mode), text("coordinate_transformation_mode", coordinates)};
      EXPECT_EQ(scaled(x_, {1, 1, 2, 3}, attributes), "") << mode << coordinates;
      EXPECT_EQ(sized(x_, {2, 3, 5, 11}, attributes), "") << mode << coordinates;
    }
  EXPECT_EQ(scaled(x_, {1, 1, 1.3f, 0.7f}, {text("mode", "linear")}), "");
  EXPECT_EQ(scaled(x_, {1, 1, 1.3f, 0.7f}, {text("mode", "cubic")}), "");
  EXPECT_EQ(
      scaled(x_, {1, 1, 0.8f, 1.6f}, {text("mode", "cubic"), attr("exclude_outside", 1), attr("cubic_coeff_a", -0.5f)}),
      "");
  EXPECT_EQ(scaled(x_, {1, 1, 1.3f, 0.7f},
                   {text("mode", "linear"), text("coordinate_transformation_mode", "half_pixel_symmetric")}),
            "");
}

TEST_F(Resize, Antialiases) {
  for (const char* mode : {"linear", "cubic"}) {
    EXPECT_EQ(scaled(x_, {1, 1, 0.6f, 0.5f}, {text("mode", mode), attr("antialias", 1)}), "") << mode;
    EXPECT_EQ(sized(x_, {2, 3, 3, 9}, {text("mode", mode), attr("antialias", 1)}), "") << mode;
    EXPECT_EQ(sized(x_, {2, 3, 3, 2}, {text("mode", mode), attr("antialias", 1), attr("exclude_outside", 1)}), "")
        << mode;
  }
}

TEST_F(Resize, SomeAxesAndAspectRatios) {
  for (const char* policy : {"stretch", "not_larger", "not_smaller"})
    EXPECT_EQ(sized(x_, {10, 5},
                    {text("mode", "linear"), text("keep_aspect_ratio_policy", policy), attr("axes", Numbers{2, 3})}),
              "")
        << policy;
}

TEST_F(Resize, CropsAndOlderVersions) {
  EXPECT_EQ(differs_from_runtime(
                {"Resize",
                 {x_, at::tensor(Reals{0, 0, 0.2f, 0.3f, 1, 1, 1.2f, 0.8f}), {}, at::tensor(Numbers{2, 3, 5, 8})},
                 {text("mode", "linear"), text("coordinate_transformation_mode", "tf_crop_and_resize"),
                  attr("extrapolation_value", 3.0f)},
                 1,
                 {},
                 13}),
            "");
  for (const char* mode : {"nearest", "linear"}) {
    EXPECT_EQ(differs_from_runtime({"Resize", {x_, at::tensor(Reals{1, 1, 2, 1.5f})}, {text("mode", mode)}, 1, {}, 10}),
              "");
    EXPECT_EQ(
        differs_from_runtime({"Upsample", {x_, at::tensor(Reals{1, 1, 2, 1.5f})}, {text("mode", mode)}, 1, {}, 9}), "");
    EXPECT_EQ(
        differs_from_runtime({"Upsample", {x_}, {text("mode", mode), attr("scales", Reals{1, 1, 2, 3})}, 1, {}, 7}),
        "");
  }
}

}  // namespace
}  // namespace coppice
