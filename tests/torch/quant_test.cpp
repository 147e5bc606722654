#include <gtest/gtest.h>

#include "support/ort_referee.hpp"
#include "support/runtime_case.hpp"

// Kernels on quantised numbers against ONNX Runtime's: equal to the last bit.
namespace coppice {
namespace {

using graph::attr;
using test::differs_from_runtime;
using test::RuntimeCase;
using Attributes = std::vector<graph::Attribute>;
using Operands = std::vector<at::Tensor>;

class Quant : public testing::Test {
 protected:
  void SetUp() override {
    COPPICE_NEEDS_REFEREE();
    at::manual_seed(1);
  }
};

at::Tensor bytes(std::vector<std::int64_t> shape) {
  return at::randint(0, 256, shape, at::kByte);
}
at::Tensor signed_bytes(std::vector<std::int64_t> shape) {
  return at::randint(-128, 128, shape, at::kChar);
}
at::Tensor scale(double value) {
  return at::full({}, value, at::kFloat);
}
at::Tensor zero(int value, at::ScalarType type = at::kByte) {
  return at::full({}, value, type);
}
at::Tensor scales(std::int64_t count) {
  return at::rand({count}) * 0.02 + 0.005;
}

RuntimeCase onnx(std::string op, Operands operands, Attributes attributes = {}, std::int64_t opset = 21) {
  return {std::move(op), std::move(operands), std::move(attributes), 1, {}, opset};
}
RuntimeCase runtime(std::string op, Operands operands, Attributes attributes = {}) {
  return {std::move(op), std::move(operands), std::move(attributes), 1, {}, 17, "com.microsoft"};
}

TEST_F(Quant, QuantizeLinear) {
  const at::Tensor x = at::randn({3, 4, 6}) * 3;
  EXPECT_EQ(differs_from_runtime(onnx("QuantizeLinear", {x, scale(0.02)})), "");
  EXPECT_EQ(differs_from_runtime(onnx("QuantizeLinear", {x, scale(0.02), zero(-3, at::kChar)})), "");
  EXPECT_EQ(differs_from_runtime(onnx("QuantizeLinear", {x, scale(0.0002), zero(100, at::kShort)})), "");
  EXPECT_EQ(differs_from_runtime(onnx("QuantizeLinear", {x, scales(4), bytes({4})})), "");
  EXPECT_EQ(differs_from_runtime(onnx("QuantizeLinear", {x, scales(6), bytes({6})}, {attr("axis", -1)})), "");
  EXPECT_EQ(differs_from_runtime(onnx("QuantizeLinear", {x, at::rand({3, 4, 2}) * 0.02 + 0.005, bytes({3, 4, 2})},
                                      {attr("axis", 2), attr("block_size", 3)})),
            "");
  // Halves go to the even neighbour.
  EXPECT_EQ(differs_from_runtime(onnx("QuantizeLinear", {at::arange(-8, 8) * 0.5, scale(1), zero(1, at::kChar)})), "");
  EXPECT_EQ(differs_from_runtime(runtime("QuantizeLinear", {x, scale(0.02), zero(9)})), "");
}

TEST_F(Quant, DequantizeLinear) {
  const at::Tensor x = bytes({3, 4, 6});
  EXPECT_EQ(differs_from_runtime(onnx("DequantizeLinear", {x, scale(0.02), zero(7)}), 0), "");
  EXPECT_EQ(differs_from_runtime(onnx("DequantizeLinear", {x, scales(4), bytes({4})}), 0), "");
  EXPECT_EQ(differs_from_runtime(onnx("DequantizeLinear", {signed_bytes({3, 4}), scales(3)}, {attr("axis", 0)}), 0),
            "");
  EXPECT_EQ(differs_from_runtime(onnx("DequantizeLinear", {x, at::rand({3, 2, 6}), bytes({3, 2, 6})},
                                      {attr("axis", 1), attr("block_size", 2)}),
                                 0),
            "");
  EXPECT_EQ(
      differs_from_runtime(onnx("DequantizeLinear", {at::randint(-1000000, 1000000, {9}, at::kInt), scale(0.001)}), 0),
      "");
  EXPECT_EQ(differs_from_runtime(runtime("DequantizeLinear", {x, scale(0.02), zero(7)}), 0), "");
}

TEST_F(Quant, DynamicQuantizeLinear) {
  RuntimeCase one = onnx("DynamicQuantizeLinear", {at::randn({5, 7})});
  one.outputs = 3;
  EXPECT_EQ(differs_from_runtime(one), "");
  one.operands[0] = -1 - at::rand({5, 7});  // 0 is in the range all the same
  EXPECT_EQ(differs_from_runtime(one), "");
}

TEST_F(Quant, MatMul) {
  EXPECT_EQ(differs_from_runtime(onnx("MatMulInteger", {bytes({2, 3, 5}), signed_bytes({5, 4}), zero(9)})), "");
  EXPECT_EQ(differs_from_runtime(onnx("MatMulInteger", {bytes({3, 5}), bytes({5, 4}), zero(9), bytes({4})})), "");
  EXPECT_EQ(differs_from_runtime(onnx("QLinearMatMul", {bytes({3, 50}), scale(0.02), zero(99), signed_bytes({50, 4}),
                                                        scale(0.01), zero(3, at::kChar), scale(0.13), zero(120)})),
            "");
  EXPECT_EQ(differs_from_runtime(onnx("QLinearMatMul", {bytes({2, 3, 50}), scale(0.02), zero(99), bytes({50, 4}),
                                                        scales(4), bytes({4}), scale(0.17), zero(120)})),
            "");
}

TEST_F(Quant, Conv) {
  const Attributes window{attr("pads", std::vector<std::int64_t>{1, 0, 2, 1}),
                          attr("strides", std::vector<std::int64_t>{2, 1})};
  EXPECT_EQ(differs_from_runtime(
                onnx("ConvInteger", {bytes({2, 4, 7, 6}), bytes({5, 4, 3, 3}), zero(100), zero(90)}, window)),
            "");
  Attributes grouped = window;
  grouped.push_back(attr("group", 2));
  EXPECT_EQ(differs_from_runtime(
                onnx("QLinearConv",
                     {bytes({2, 4, 7, 6}), scale(0.02), zero(100), signed_bytes({6, 2, 3, 3}), scales(6),
                      at::zeros({6}, at::kChar), scale(0.11), zero(128), at::randint(-500, 500, {6}, at::kInt)},
                     grouped)),
            "");
}

TEST_F(Quant, Elementwise) {
  const at::Tensor a = bytes({2, 3, 4}), b = bytes({3, 1});
  for (const char* op : {"QLinearAdd", "QLinearMul"}) {
    EXPECT_EQ(differs_from_runtime(
                  runtime(op, {a, scale(0.023), zero(99), b, scale(0.017), zero(140), scale(0.051), zero(110)})),
              "")
        << op;
  }
  EXPECT_EQ(differs_from_runtime(runtime("QLinearSigmoid", {a, scale(0.043), zero(120), scale(1.0 / 256), zero(0)})),
            "");
  EXPECT_EQ(differs_from_runtime(runtime("QLinearLeakyRelu", {a, scale(0.043), zero(120), scale(0.031), zero(17)},
                                         {attr("alpha", 0.1f)})),
            "");
  EXPECT_EQ(differs_from_runtime(runtime("QLinearSoftmax", {a, scale(0.043), zero(120), scale(1.0 / 256), zero(0)},
                                         {attr("axis", -1), attr("opset", 13)})),
            "");
}

TEST_F(Quant, PoolsAndConcat) {
  const at::Tensor x = bytes({2, 3, 7, 6});
  EXPECT_EQ(
      differs_from_runtime(runtime("QLinearGlobalAveragePool", {x, scale(0.043), zero(120), scale(0.013), zero(101)})),
      "");
  EXPECT_EQ(
      differs_from_runtime(runtime("QLinearGlobalAveragePool", {x, scale(0.043), zero(120), scale(0.013), zero(101)},
                                   {attr("channels_last", 1)})),
      "");
  for (const int whole : {0, 1})
    EXPECT_EQ(
        differs_from_runtime(runtime(
            "QLinearAveragePool", {x, scale(0.043), zero(120), scale(0.019), zero(101)},
            {attr("kernel_shape", std::vector<std::int64_t>{3, 2}), attr("pads", std::vector<std::int64_t>{1, 0, 1, 1}),
             attr("strides", std::vector<std::int64_t>{2, 2}), attr("count_include_pad", whole)})),
        "");
  EXPECT_EQ(differs_from_runtime(runtime(
                "QLinearConcat",
                {scale(0.031), zero(99), bytes({2, 3}), scale(0.043), zero(120), bytes({2, 5}), scale(0.027), zero(80)},
                {attr("axis", 1)})),
            "");
}

}  // namespace
}  // namespace coppice
