#include <gtest/gtest.h>

#include "support/ort_referee.hpp"
#include "support/runtime_case.hpp"

// Convolutions, pools and regions against ONNX Runtime's, where ONNX's own tests leave something out.
namespace coppice {
namespace {

using graph::attr;
using test::differs_from_runtime;
using test::RuntimeCase;
using Attributes = std::vector<graph::Attribute>;
using Numbers = std::vector<std::int64_t>;

class Windows : public testing::Test {
 protected:
  void SetUp() override {
    COPPICE_NEEDS_REFEREE();
    at::manual_seed(1);
  }
};

at::Tensor real(Numbers shape) {
  return at::randn(shape);
}

TEST_F(Windows, Conv) {
  const at::Tensor x = real({2, 4, 9, 8}), w = real({6, 2, 3, 2}), b = real({6});
  for (const char* mode : {"SAME_UPPER", "SAME_LOWER", "VALID"})
    EXPECT_EQ(
        differs_from_runtime({"Conv",
                              {x, w, b},
                              {attr("group", 2), attr("auto_pad", std::string(mode)), attr("strides", Numbers{2, 3})}}),
        "")
        << mode;
  EXPECT_EQ(
      differs_from_runtime(
          {"Conv", {x, w}, {attr("group", 2), attr("pads", Numbers{0, 3, 2, 1}), attr("dilations", Numbers{2, 1})}}),
      "");
  EXPECT_EQ(differs_from_runtime({"Conv", {real({2, 3, 9}), real({4, 3, 4})}, {attr("pads", Numbers{3, 0})}}), "");
  EXPECT_EQ(differs_from_runtime(
                {"Conv", {real({1, 2, 5, 6, 7}), real({4, 2, 2, 3, 2})}, {attr("pads", Numbers{1, 0, 1, 0, 1, 0})}}),
            "");
}

TEST_F(Windows, FusedConv) {
  const at::Tensor x = real({2, 4, 9, 8}), w = real({6, 4, 3, 3}), b = real({6});
  RuntimeCase one{"FusedConv", {x, w, b}, {attr("activation", std::string("Relu"))}, 1, {}, 17, "com.microsoft"};
  EXPECT_EQ(differs_from_runtime(one), "");
  one.operands.push_back(real({2, 6, 7, 6}));
  EXPECT_EQ(differs_from_runtime(one), "");
  one.operands.pop_back();
  one.attributes = {attr("activation", std::string("Clip")), attr("activation_params", std::vector<float>{-0.5f, 2})};
  EXPECT_EQ(differs_from_runtime(one), "");
  one.attributes = {attr("activation", std::string("LeakyRelu")), attr("activation_params", std::vector<float>{0.3f})};
  EXPECT_EQ(differs_from_runtime(one), "");
}

TEST_F(Windows, ConvTranspose) {
  const at::Tensor x = real({2, 4, 5, 6}), w = real({4, 3, 3, 2}), b = real({6});
  const auto run = [&](Attributes attributes) {
    attributes.push_back(attr("group", 2));
    attributes.push_back(attr("strides", Numbers{2, 3}));
    return differs_from_runtime({"ConvTranspose", {x, w, b}, attributes});
  };
  EXPECT_EQ(run({}), "");
  EXPECT_EQ(run({attr("pads", Numbers{1, 0, 1, 0}), attr("output_padding", Numbers{1, 1})}), "");
  EXPECT_EQ(run({attr("pads", Numbers{1, 0, 0, 1}), attr("dilations", Numbers{2, 1})}), "");
  EXPECT_EQ(run({attr("pads", Numbers{1, 0, 0, 1}), attr("output_padding", Numbers{1, 2})}), "");
  EXPECT_EQ(run({attr("output_shape", Numbers{10, 16})}), "");
  EXPECT_EQ(run({attr("output_shape", Numbers{10, 16}), attr("auto_pad", std::string("SAME_UPPER"))}), "");
  EXPECT_EQ(differs_from_runtime({"ConvTranspose",
                                  {real({2, 3, 5}), real({3, 2, 4})},
                                  {attr("auto_pad", std::string("SAME_LOWER")), attr("strides", Numbers{3})}}),
            "");
  EXPECT_EQ(differs_from_runtime({"ConvTranspose", {real({2, 3, 5}), real({3, 2, 4})}, {attr("pads", Numbers{2, 1})}}),
            "");
}

TEST_F(Windows, MaxPool) {
  const at::Tensor x = real({2, 3, 9, 8});
  const auto run = [&](Attributes attributes, std::size_t outputs = 2) {
    attributes.push_back(attr("kernel_shape", Numbers{3, 2}));
    return differs_from_runtime({"MaxPool", {x}, attributes, outputs});
  };
  EXPECT_EQ(run({}), "");
  EXPECT_EQ(run({attr("strides", Numbers{2, 2}), attr("ceil_mode", 1)}), "");
  EXPECT_EQ(run({attr("pads", Numbers{1, 0, 2, 1}), attr("strides", Numbers{2, 2})}), "");
  EXPECT_EQ(run({attr("pads", Numbers{1, 0, 2, 1}), attr("strides", Numbers{2, 3}), attr("ceil_mode", 1)}), "");
  EXPECT_EQ(run({attr("dilations", Numbers{2, 3}), attr("pads", Numbers{2, 1, 2, 1})}), "");
  EXPECT_EQ(run({attr("storage_order", 1), attr("strides", Numbers{2, 2})}), "");
  EXPECT_EQ(run({attr("auto_pad", std::string("SAME_LOWER")), attr("strides", Numbers{2, 2})}), "");
  EXPECT_EQ(run({attr("auto_pad", std::string("SAME_UPPER"))}, 1), "");
  EXPECT_EQ(differs_from_runtime(
                {"MaxPool",
                 {real({2, 3, 11})},
                 {attr("kernel_shape", Numbers{3}), attr("pads", Numbers{0, 2}), attr("strides", Numbers{2})},
                 2}),
            "");
  EXPECT_EQ(differs_from_runtime({"MaxPool",
                                  {real({1, 2, 5, 6, 7})},
                                  {attr("kernel_shape", Numbers{3, 2, 2}), attr("pads", Numbers{1, 0, 1, 0, 1, 0})},
                                  2}),
            "");
  EXPECT_EQ(
      differs_from_runtime(
          {"MaxPool", {at::randint(-128, 128, {2, 3, 5, 6}, at::kChar)}, {attr("kernel_shape", Numbers{3, 2})}, 1}),
      "");
}

TEST_F(Windows, AveragePool) {
  const at::Tensor x = real({2, 3, 9, 8});
  for (const int whole : {0, 1}) {
    const auto run = [&](Attributes attributes) {
      attributes.push_back(attr("kernel_shape", Numbers{3, 2}));
      attributes.push_back(attr("count_include_pad", whole));
      return differs_from_runtime({"AveragePool", {x}, attributes, 1, {}, 19});
    };
    EXPECT_EQ(run({}), "");
    EXPECT_EQ(run({attr("strides", Numbers{2, 3}), attr("ceil_mode", 1)}), "");
    EXPECT_EQ(run({attr("pads", Numbers{1, 0, 2, 1}), attr("strides", Numbers{2, 2})}), "");
    EXPECT_EQ(run({attr("pads", Numbers{1, 1, 1, 1}), attr("strides", Numbers{2, 2}), attr("ceil_mode", 1)}), "");
    EXPECT_EQ(run({attr("dilations", Numbers{2, 3}), attr("pads", Numbers{2, 1, 0, 1})}), "");
    EXPECT_EQ(run({attr("auto_pad", std::string("SAME_LOWER")), attr("strides", Numbers{2, 2})}), "");
  }
}

TEST_F(Windows, LpAndGlobalPools) {
  const at::Tensor x = real({2, 3, 9, 8});
  for (const int p : {1, 2, 3}) {
    EXPECT_EQ(
        differs_from_runtime({"LpPool",
                              {x},
                              {attr("p", p), attr("kernel_shape", Numbers{3, 2}), attr("pads", Numbers{1, 0, 2, 1})},
                              1,
                              {},
                              18}),
        "");
    EXPECT_EQ(differs_from_runtime({"GlobalLpPool", {x}, {attr("p", p)}}), "");
  }
  EXPECT_EQ(differs_from_runtime({"GlobalAveragePool", {real({2, 3, 4, 5, 6})}}), "");
  EXPECT_EQ(differs_from_runtime({"GlobalMaxPool", {real({2, 3, 4})}}), "");
}

TEST_F(Windows, Regions) {
  const at::Tensor x = real({2, 3, 12, 10});
  const at::Tensor boxes =
      at::tensor(std::vector<float>{0, 0, 9, 11, 2.5, 1.2, 6.1, 7.7, 4, 4, 4.5, 4.2}).reshape({3, 4});
  const at::Tensor images = at::tensor(std::vector<std::int64_t>{0, 1, 1});
  for (const char* mode : {"avg", "max"})
    for (const int ratio : {0, 2})
      for (const char* corner : {"half_pixel", "output_half_pixel"})
        EXPECT_EQ(differs_from_runtime({"RoiAlign",
                                        {x, boxes, images},
                                        {attr("mode", std::string(mode)), attr("sampling_ratio", ratio),
                                         attr("output_height", 3), attr("output_width", 2), attr("spatial_scale", 0.9f),
                                         attr("coordinate_transformation_mode", std::string(corner))}}),
                  "")
            << mode << ratio << corner;
  const at::Tensor regions =
      at::tensor(std::vector<float>{0, 0, 0, 9, 11, 1, 2, 1, 6, 7, 1, 4, 4, 4, 4}).reshape({3, 5});
  EXPECT_EQ(differs_from_runtime(
                {"MaxRoiPool", {x, regions}, {attr("pooled_shape", Numbers{3, 2}), attr("spatial_scale", 0.8f)}}),
            "");
}

TEST_F(Windows, Grids) {
  const at::Tensor grid = at::rand({2, 5, 4, 2}) * 3 - 1.5;
  for (const char* mode : {"linear", "nearest", "cubic"})
    for (const char* padding : {"zeros", "border", "reflection"})
      for (const int corners : {0, 1})
        EXPECT_EQ(differs_from_runtime({"GridSample",
                                        {real({2, 3, 7, 6}), grid},
                                        {attr("mode", std::string(mode)), attr("padding_mode", std::string(padding)),
                                         attr("align_corners", corners)},
                                        1,
                                        {},
                                        20}),
                  "")
            << mode << padding << corners;
  for (const int corners : {0, 1})
    EXPECT_EQ(differs_from_runtime({"AffineGrid",
                                    {real({2, 2, 3}), at::tensor(Numbers{2, 3, 4, 5})},
                                    {attr("align_corners", corners)},
                                    1,
                                    {},
                                    20}),
              "");
}

}  // namespace
}  // namespace coppice
