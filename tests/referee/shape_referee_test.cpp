#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

#include "coppice/formats/onnx.hpp"

#include "graph/one_node.hpp"
#include "support/ort_referee.hpp"

/// Shape inference against ONNX Runtime, for operators that the conformance cases of older distributions lack: newer
/// operator sets, and the runtime's own domain.
namespace coppice::test {
namespace {

using graph::AttributeValue;
using graph::DType;
using graph::OneNode;
using graph::Shape;
using graph::Tensor;
using Ints = std::vector<std::int64_t>;

constexpr const char* contrib = "com.microsoft";

std::string show(const Shape& shape) {
  return shape.empty() ? "scalar" : tensor::to_string(shape);
}

void expect_same(OneNode node, std::size_t outputs, const std::string& what) {
  const auto path = std::filesystem::temp_directory_path() / ("coppice_shape_" + std::to_string(::getpid()) + ".onnx");
  formats::write_onnx(node.model(outputs), path.string());
  RefereeOptions options;
  options.optimise = false;
  const RunReport run = Referee::shared().run({path.string()}, options).at(0);
  std::filesystem::remove(path);
  ASSERT_TRUE(run.ok) << what << ": " << run.error;
  ASSERT_EQ(run.outputs.size(), outputs) << what;
  for (std::size_t i = 0; i < outputs; ++i) {
    const OutputReport* found = run.find("y" + std::to_string(i));
    ASSERT_NE(found, nullptr) << what;
    const graph::Fact fact = node.fact(i);
    ASSERT_TRUE(fact.complete()) << what << " output " << i;
    EXPECT_EQ(show(fact.shape), show(found->shape)) << what << " output " << i;
    EXPECT_EQ(tensor::name(fact.dtype), found->type) << what << " output " << i;
  }
}

OneNode node(std::string_view op, std::int64_t opset, std::vector<Shape> operands, std::string_view domain = {}) {
  OneNode out(op, opset, domain);
  for (Shape& operand : operands) out.in(std::move(operand));
  return out;
}

Tensor scale() {
  return Tensor::scalar(0.1f);
}

Tensor zero_point() {
  const std::uint8_t value = 3;
  return Tensor::of<std::uint8_t>(DType::uint8, {}, {&value, 1});
}

TEST(ShapesAgainstTheRuntime, PoolsWithCeilMode) {
  COPPICE_NEEDS_REFEREE();
  for (const char* op : {"MaxPool", "AveragePool", "LpPool"})
    for (int ceil : {0, 1})
      for (std::int64_t size : {5, 6, 7, 8})
        for (std::int64_t stride : {2, 3}) {
          OneNode n = node(op, 22, {{1, 2, size, size}});
          n.with("kernel_shape", Ints{3, 2}).with("strides", Ints{stride, stride}).with("ceil_mode", ceil);
          n.with("pads", Ints{1, 0, 1, 1});
          expect_same(n, 1, std::string(op) + " of " + std::to_string(size) + " by " + std::to_string(stride));
        }
}

TEST(ShapesAgainstTheRuntime, Convolutions) {
  COPPICE_NEEDS_REFEREE();
  for (const char* mode : {"SAME_UPPER", "SAME_LOWER", "VALID"}) {
    const auto both = [&](OneNode n) { return n.with("group", 2).with("strides", Ints{2, 3}).with("auto_pad", mode); };
    expect_same(both(node("Conv", 22, {{1, 4, 9, 8}, {6, 2, 3, 3}})), 1, std::string("Conv ") + mode);
    expect_same(both(node("ConvTranspose", 22, {{1, 4, 9, 8}, {4, 3, 3, 3}})), 1, std::string("ConvTranspose ") + mode);
  }
  OneNode transposed = node("ConvTranspose", 11, {{1, 4, 5, 5}, {4, 3, 3, 3}});
  transposed.with("strides", Ints{3, 2}).with("output_padding", Ints{1, 1}).with("dilations", Ints{2, 1});
  expect_same(transposed.with("pads", Ints{1, 0, 1, 2}), 1, "ConvTranspose with output padding");
  expect_same(node("DeformConv", 19, {{1, 4, 8, 8}, {6, 4, 3, 3}, {1, 18, 6, 6}}), 1, "DeformConv");
  expect_same(node("FusedConv", 17, {{1, 4, 8, 8}, {6, 4, 3, 3}, {6}}, contrib).with("activation", "Relu"), 1,
              "FusedConv");
}

TEST(ShapesAgainstTheRuntime, ResizeByScalesAndSizes) {
  COPPICE_NEEDS_REFEREE();
  for (const float factor : {0.7f, 1.3f, 0.35f, 3.3f})
    for (std::int64_t size : {9, 10, 20})
      expect_same(node("Resize", 19, {{1, 2, size, 11}}).absent().reals({1, 1, factor, factor}), 1,
                  "Resize by " + std::to_string(factor));
  for (const char* policy : {"stretch", "not_larger", "not_smaller"})
    for (const Ints& sizes : {Ints{7, 8}, Ints{13, 5}, Ints{3, 30}}) {
      OneNode n = node("Resize", 18, {{1, 2, 10, 11}});
      n.absent().absent().ints(sizes).with("axes", Ints{3, 2}).with("mode", "linear");
      expect_same(n.with("keep_aspect_ratio_policy", policy), 1, std::string("Resize ") + policy);
    }
}

TEST(ShapesAgainstTheRuntime, NormsAndAttention) {
  COPPICE_NEEDS_REFEREE();
  expect_same(node("GroupNormalization", 21, {{2, 6, 4, 4}, {6}, {6}}).with("num_groups", 3), 1, "GroupNormalization");
  expect_same(node("RMSNormalization", 23, {{2, 3, 4}, {4}}), 1, "RMSNormalization");
  expect_same(node("LayerNormalization", 17, {{2, 3, 4}, {3, 4}, {3, 4}}).with("axis", 1), 3, "LayerNormalization");
  expect_same(node("SkipLayerNormalization", 17, {{2, 3, 8}, {2, 3, 8}, {8}}, contrib), 1, "SkipLayerNormalization");
  OneNode cached = node("Attention", 23, {{2, 6, 5, 8}, {2, 3, 7, 8}, {2, 3, 7, 9}});
  expect_same(cached.absent().in({2, 3, 4, 8}).in({2, 3, 4, 9}), 4, "Attention with a cache");
  OneNode flat = node("Attention", 23, {{2, 5, 48}, {2, 7, 24}, {2, 7, 27}});
  expect_same(flat.with("q_num_heads", 6).with("kv_num_heads", 3), 1, "Attention of three axes");
  expect_same(node("RotaryEmbedding", 23, {{2, 3, 5, 8}, {2, 5, 4}, {2, 5, 4}}), 1, "RotaryEmbedding");
  expect_same(node("MultiHeadAttention", 17, {{2, 5, 8}, {2, 7, 8}, {2, 7, 8}}, contrib).with("num_heads", 2), 3,
              "MultiHeadAttention");
  expect_same(node("Attention", 17, {{2, 5, 8}, {8, 24}, {24}}, contrib).with("num_heads", 2), 2, "fused Attention");
  OneNode later = node("Attention", 17, {{2, 5, 8}, {8, 24}, {24}}, contrib);
  later.absent().in({2, 2, 2, 4, 4}).with("num_heads", 2).with("unidirectional", 1);
  expect_same(later, 2, "fused Attention with a cache");
  OneNode heads = node("MultiHeadAttention", 17, {{2, 5, 8}, {2, 5, 8}, {2, 5, 8}}, contrib);
  heads.absent().absent().absent().in({2, 2, 4, 4}).in({2, 2, 4, 4}).with("num_heads", 2);
  expect_same(heads, 3, "MultiHeadAttention with a cache");
}

TEST(ShapesAgainstTheRuntime, Space) {
  COPPICE_NEEDS_REFEREE();
  expect_same(node("GridSample", 20, {{2, 3, 8, 8, 8}, {2, 5, 6, 7, 3}}).with("mode", "linear"), 1, "GridSample");
  expect_same(node("AffineGrid", 20, {{2, 3, 4}}).ints({2, 3, 4, 5, 6}), 1, "AffineGrid");
  expect_same(node("CenterCropPad", 18, {{20, 8, 3}}).ints({10, 9}).with("axes", Ints{0, 1}), 1, "CenterCropPad");
  expect_same(node("Col2Im", 18, {{2, 12, 16}}).ints({5, 5}).ints({2, 2}), 1, "Col2Im");
}

TEST(ShapesAgainstTheRuntime, Products) {
  COPPICE_NEEDS_REFEREE();
  OneNode flipped = node("FusedMatMul", 17, {{5, 3, 2}, {5, 4, 3}}, contrib);
  expect_same(flipped.with("transA", 1).with("transB", 1), 1, "FusedMatMul, transposed");
  expect_same(node("FusedMatMul", 17, {{2, 5, 3}, {5, 3, 4}}, contrib).with("transBatchA", 1), 1, "FusedMatMul, batch");
  OneNode all = node("FusedMatMul", 17, {{3, 5, 2}, {3, 5, 4}}, contrib);
  expect_same(all.with("transA", 1).with("transBatchA", 1).with("transBatchB", 1), 1, "FusedMatMul, all");
  expect_same(node("FusedGemm", 17, {{3, 4}, {5, 4}, {5}}, contrib).with("transB", 1).with("activation", "Relu"), 1,
              "FusedGemm");
  for (const char* equation : {"...ij,...jk", "ba,ac", "i...j,jk->k...i"}) {
    const Shape left = equation[0] == 'b' ? Shape{3, 4} : Shape{6, 3, 4};
    const Shape right = equation[0] == '.' ? Shape{6, 4, 5} : Shape{4, 5};
    expect_same(node("Einsum", 12, {left, right}).with("equation", equation), 1, equation);
  }
}

TEST(ShapesAgainstTheRuntime, Quantised) {
  COPPICE_NEEDS_REFEREE();
  expect_same(node("QuantizeLinear", 21, {{4, 10}, {4, 3}}).with("axis", 1).with("block_size", 4), 1, "QuantizeLinear");
  expect_same(node("QuantizeLinear", 21, {{4, 10}}).constant(scale()).with("output_dtype", 3), 1,
              "QuantizeLinear to int8");
  const auto linear = [](std::string_view op, Shape shape) {
    OneNode n(op, 17, contrib);
    return n.in(std::move(shape), DType::uint8).constant(scale()).constant(zero_point());
  };
  const auto finish = [](OneNode n) { return n.constant(scale()).constant(zero_point()); };
  for (const char* op : {"QLinearSigmoid", "QLinearLeakyRelu", "QLinearGlobalAveragePool"})
    expect_same(finish(linear(op, {1, 2, 7, 8})), 1, op);
  for (const char* op : {"QLinearAdd", "QLinearMul"}) {
    OneNode n = linear(op, {2, 1});
    expect_same(finish(n.in({3}, DType::uint8).constant(scale()).constant(zero_point())), 1, op);
  }
  OneNode pool = linear("QLinearAveragePool", {1, 7, 8, 2}).with("kernel_shape", Ints{3, 3}).with("channels_last", 1);
  expect_same(finish(pool.with("strides", Ints{2, 2})), 1, "QLinearAveragePool, channels last");
  OneNode concat("QLinearConcat", 17, contrib);
  concat.constant(scale()).constant(zero_point());
  concat.in({2, 3}, DType::uint8).constant(scale()).constant(zero_point()).in({2, 4}, DType::uint8);
  expect_same(concat.constant(scale()).constant(zero_point()).with("axis", 1), 1, "QLinearConcat");
}

TEST(ShapesAgainstTheRuntime, Signals) {
  COPPICE_NEEDS_REFEREE();
  expect_same(node("DFT", 20, {{2, 10, 7, 1}}).with("onesided", 1), 1, "DFT along the default axis");
  expect_same(node("DFT", 17, {{2, 10, 7, 2}}).constant(Tensor::scalar(std::int64_t{16})), 1, "DFT with a length");
  expect_same(node("STFT", 17, {{1, 128, 1}}).constant(Tensor::scalar(std::int64_t{7})).in({16}), 1, "STFT");
}

TEST(ShapesAgainstTheRuntime, Recurrent) {
  COPPICE_NEEDS_REFEREE();
  OneNode lstm = node("LSTM", 22, {{7, 2, 5}, {2, 12, 5}, {2, 12, 3}});
  expect_same(lstm.with("hidden_size", 3).with("direction", "bidirectional"), 3, "LSTM");
  expect_same(node("GRU", 14, {{7, 2, 5}, {1, 9, 5}, {1, 9, 3}}).with("hidden_size", 3), 2, "GRU");
  expect_same(node("RNN", 22, {{7, 2, 5}, {1, 3, 5}, {1, 3, 3}}).with("hidden_size", 3), 2, "RNN");
}

}  // namespace
}  // namespace coppice::test
