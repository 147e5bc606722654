#include <gtest/gtest.h>

#include "coppice/torch/graph_module.hpp"

#include "support/ort_referee.hpp"
#include "support/runtime_case.hpp"

// Norms and what stands between them against ONNX Runtime's.
namespace coppice {
namespace {

using graph::attr;
using test::differs_from_runtime;
using test::RuntimeCase;
using Attributes = std::vector<graph::Attribute>;
using Operands = std::vector<at::Tensor>;

class Norms : public testing::Test {
 protected:
  void SetUp() override {
    COPPICE_NEEDS_REFEREE();
    at::manual_seed(1);
  }
};

at::Tensor real(std::vector<std::int64_t> shape) {
  return at::randn(shape);
}

TEST_F(Norms, BatchNorm) {
  const Operands operands{real({3, 4, 5, 6}), real({4}), real({4}), real({4}), at::rand({4}) + 0.5};
  EXPECT_EQ(differs_from_runtime({"BatchNormalization", operands, {attr("epsilon", 0.01f)}}), "");
  EXPECT_EQ(differs_from_runtime({"BatchNormalization", operands, {}, 1, {}, 9}), "");
  EXPECT_EQ(
      differs_from_runtime({"BatchNormalization", operands, {attr("training_mode", 1), attr("momentum", 0.7f)}, 3}),
      "");
  EXPECT_EQ(
      differs_from_runtime({"BatchNormalization", {real({3, 4}), real({4}), real({4}), real({4}), at::rand({4})}}), "");
  Operands each{real({3, 4, 5}), real({4, 5}), real({4, 5}), real({4, 5}), at::rand({4, 5}) + 0.5};
  EXPECT_EQ(differs_from_runtime({"BatchNormalization", each, {attr("spatial", 0)}, 1, {}, 7}), "");
}

TEST_F(Norms, LayerNorm) {
  EXPECT_EQ(differs_from_runtime({"LayerNormalization", {real({3, 4, 6}), real({6}), real({6})}, {}, 3}), "");
  EXPECT_EQ(differs_from_runtime({"LayerNormalization", {real({3, 4, 6}), real({4, 6})}, {attr("axis", 1)}}), "");
  EXPECT_EQ(differs_from_runtime({"LayerNormalization", {real({3, 4, 6}), real({1}), real({6})}}), "");
  EXPECT_EQ(differs_from_runtime({"RMSNormalization", {real({3, 4, 6}), real({6})}, {}, 1, {}, 23}), "");
  EXPECT_EQ(differs_from_runtime({"RMSNormalization", {real({3, 4, 6}), real({4, 6})}, {attr("axis", 1)}, 1, {}, 23}),
            "");
  EXPECT_EQ(differs_from_runtime({"SimplifiedLayerNormalization", {real({3, 4, 6}), real({6})}, {}, 2}), "");
}

TEST_F(Norms, SkipLayerNorm) {
  const auto run = [](const char* op, Operands operands, std::vector<std::size_t> absent) {
    return differs_from_runtime(
        {op, std::move(operands), {attr("epsilon", 1e-3f)}, 4, std::move(absent), 17, "com.microsoft"});
  };
  const auto x = [] { return real({2, 5, 8}); };
  EXPECT_EQ(run("SkipLayerNormalization", {x(), x(), real({8}), real({8}), real({8})}, {1, 2}), "");
  EXPECT_EQ(run("SkipLayerNormalization", {x(), x(), real({8})}, {1, 2}), "");
  EXPECT_EQ(run("SkipLayerNormalization", {x(), real({5, 8}), real({8}), real({8})}, {1, 2}), "");
  EXPECT_EQ(run("SkipSimplifiedLayerNormalization", {x(), x(), real({8}), real({8})}, {1, 2}), "");
  EXPECT_EQ(run("SkipSimplifiedLayerNormalization", {x(), x(), real({8})}, {1, 2}), "");
}

TEST_F(Norms, GroupAndInstanceNorm) {
  const at::Tensor x = real({2, 6, 5, 4});
  EXPECT_EQ(differs_from_runtime({"GroupNormalization", {x, real({3}), real({3})}, {attr("num_groups", 3)}, 1, {}, 18}),
            "");
  EXPECT_EQ(differs_from_runtime({"GroupNormalization", {x, real({6}), real({6})}, {attr("num_groups", 3)}, 1, {}, 21}),
            "");
  EXPECT_EQ(differs_from_runtime({"InstanceNormalization", {x, real({6}), real({6})}}), "");
}

TEST_F(Norms, OthersThatLookAround) {
  const at::Tensor x = real({2, 7, 5, 4});
  for (const int size : {3, 5})
    EXPECT_EQ(differs_from_runtime({"LRN", {x}, {attr("size", size), attr("alpha", 0.5f), attr("bias", 2.0f)}}), "");
  for (const int p : {1, 2})
    EXPECT_EQ(differs_from_runtime({"LpNormalization", {x}, {attr("p", p), attr("axis", 1)}}), "");
  EXPECT_EQ(differs_from_runtime({"MeanVarianceNormalization", {x}, {attr("axes", std::vector<std::int64_t>{1, 2})}}),
            "");
  for (const char* op : {"Softmax", "LogSoftmax", "Hardmax"}) {
    EXPECT_EQ(differs_from_runtime({op, {x}, {attr("axis", 1)}, 1, {}, 11}), "") << op;
    EXPECT_EQ(differs_from_runtime({op, {x}, {attr("axis", 1)}, 1, {}, 13}), "") << op;
  }
}

RuntimeCase runtime(const char* op, Operands operands, Attributes attributes = {}) {
  return {op, std::move(operands), std::move(attributes), 1, {}, 17, "com.microsoft"};
}

TEST_F(Norms, FusedActivations) {
  const at::Tensor x = real({2, 5, 8}), bias = real({8});
  EXPECT_EQ(differs_from_runtime(runtime("Gelu", {x})), "");
  EXPECT_EQ(differs_from_runtime(runtime("BiasGelu", {x, bias})), "");
  EXPECT_EQ(differs_from_runtime(runtime("FastGelu", {x})), "");
  EXPECT_EQ(differs_from_runtime(runtime("FastGelu", {x, bias})), "");
  EXPECT_EQ(differs_from_runtime(runtime("QuickGelu", {x}, {attr("alpha", 1.1f)})), "");
  EXPECT_EQ(differs_from_runtime(runtime("Inverse", {real({3, 4, 4}) + at::eye(4) * 5})), "");
}

TEST_F(Norms, EmbedLayerNorm) {
  const at::Tensor ids = at::randint(0, 20, {2, 5}, at::kInt), segments = at::randint(0, 2, {2, 5}, at::kInt);
  Operands operands{ids, segments, real({20, 8}), real({6, 8}), real({2, 8}), real({8}), real({8})};
  RuntimeCase one = runtime("EmbedLayerNormalization", operands);
  one.outputs = 3;
  one.operands.push_back(at::tensor(std::vector<int>{1, 1, 1, 0, 0, 1, 1, 1, 1, 1}, at::kInt).reshape({2, 5}));
  EXPECT_EQ(differs_from_runtime(one), "");
}

TEST_F(Norms, MatrixProducts) {
  EXPECT_EQ(differs_from_runtime({"Gemm",
                                  {real({5, 3}), real({4, 5}), real({3, 1})},
                                  {attr("transA", 1), attr("transB", 1), attr("alpha", 0.5f), attr("beta", 2.5f)}}),
            "");
  EXPECT_EQ(
      differs_from_runtime(runtime("FusedGemm", {real({3, 5}), real({5, 4}), real({4})},
                                   {attr("activation", std::string("LeakyRelu")), attr("activation_alpha", 0.2f)})),
      "");
  for (const int a : {0, 1})
    for (const int b : {0, 1})
      EXPECT_EQ(differs_from_runtime(runtime(
                    "FusedMatMul", {a ? real({2, 5, 3}) : real({2, 3, 5}), b ? real({2, 4, 5}) : real({2, 5, 4})},
                    {attr("transA", a), attr("transB", b), attr("alpha", 0.3f)})),
                "");
  EXPECT_EQ(differs_from_runtime(runtime("FusedMatMul", {real({3, 2, 5}), real({2, 5, 4})}, {attr("transBatchA", 1)})),
            "");
  EXPECT_EQ(differs_from_runtime(
                {"Einsum", {real({2, 3, 5}), real({5, 4})}, {attr("equation", std::string("...i, ij -> ...j"))}}),
            "");
  EXPECT_EQ(
      differs_from_runtime({"Einsum", {real({2, 3, 4}), real({2, 4, 3})}, {attr("equation", std::string("bij,bji"))}}),
      "");
  EXPECT_EQ(differs_from_runtime({"MatMul", {real({5}), real({2, 5, 4})}}), "");
}

}  // namespace
}  // namespace coppice
