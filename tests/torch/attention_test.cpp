#include <gtest/gtest.h>

#include "support/ort_referee.hpp"
#include "support/runtime_case.hpp"

// Kernels of attention against ONNX Runtime's.
namespace coppice {
namespace {

using graph::attr;
using test::differs_from_runtime;
using test::RuntimeCase;
using Attributes = std::vector<graph::Attribute>;

class Attention : public testing::Test {
 protected:
  void SetUp() override {
    COPPICE_NEEDS_REFEREE();
    at::manual_seed(1);
  }
};

at::Tensor real(std::vector<std::int64_t> shape) {
  return at::randn(shape);
}
at::Tensor whole(std::vector<int> values) {
  return at::tensor(values, at::kInt);
}

RuntimeCase onnx(std::vector<at::Tensor> operands, Attributes attributes, std::size_t outputs = 1) {
  return {"Attention", std::move(operands), std::move(attributes), outputs, {}, 23};
}

TEST_F(Attention, OfOnnxWithHeadsApart) {
  EXPECT_EQ(differs_from_runtime(onnx({real({2, 3, 4, 8}), real({2, 3, 6, 8}), real({2, 3, 6, 5})}, {})), "");
  // Two queries share a key.
  EXPECT_EQ(differs_from_runtime(onnx({real({2, 4, 4, 8}), real({2, 2, 6, 8}), real({2, 2, 6, 8})}, {})), "");
  EXPECT_EQ(differs_from_runtime(onnx({real({2, 3, 6, 8}), real({2, 3, 6, 8}), real({2, 3, 6, 8})},
                                      {attr("is_causal", 1), attr("scale", 0.3f)})),
            "");
}

TEST_F(Attention, OfOnnxWithPackedHeads) {
  EXPECT_EQ(differs_from_runtime(onnx({real({2, 4, 24}), real({2, 6, 24}), real({2, 6, 24})},
                                      {attr("q_num_heads", 3), attr("kv_num_heads", 3)})),
            "");
  EXPECT_EQ(differs_from_runtime(onnx({real({2, 4, 32}), real({2, 6, 16}), real({2, 6, 16})},
                                      {attr("q_num_heads", 4), attr("kv_num_heads", 2)})),
            "");
}

TEST_F(Attention, OfOnnxWithMasksAndCaches) {
  const auto qkv = [] { return std::vector<at::Tensor>{real({2, 3, 4, 8}), real({2, 3, 6, 8}), real({2, 3, 6, 8})}; };
  auto operands = qkv();
  operands.push_back(real({4, 6}));
  EXPECT_EQ(differs_from_runtime(onnx(operands, {})), "");
  operands[3] = real({2, 1, 4, 6});
  EXPECT_EQ(differs_from_runtime(onnx(operands, {})), "");
  operands[3] = at::ones({4, 6}, at::kBool).tril(1);
  EXPECT_EQ(differs_from_runtime(onnx(operands, {})), "");
  operands[3] = at::Tensor();
  operands.push_back(real({2, 3, 5, 8}));
  operands.push_back(real({2, 3, 5, 8}));
  EXPECT_EQ(differs_from_runtime(onnx(operands, {}, 3)), "");
  operands[1] = real({2, 3, 4, 8});
  operands[2] = real({2, 3, 4, 8});
  EXPECT_EQ(differs_from_runtime(onnx(operands, {attr("is_causal", 1)}, 3)), "");
}

TEST_F(Attention, OfOnnxShowsItsScores) {
  for (int mode = 0; mode < 4; ++mode) {
    const RuntimeCase one = onnx({real({2, 3, 4, 8}), real({2, 3, 6, 8}), real({2, 3, 6, 8}), real({4, 6})},
                                 {attr("qk_matmul_output_mode", mode), attr("softcap", 2.0f)}, 4);
    RuntimeCase asked = one;
    asked.absent = {1, 2};
    EXPECT_EQ(differs_from_runtime(asked), "") << "mode " << mode;
  }
}

RuntimeCase runtime(std::string op, std::vector<at::Tensor> operands, Attributes attributes, std::size_t outputs = 1) {
  return {std::move(op), std::move(operands), std::move(attributes), outputs, {}, 17, "com.microsoft"};
}

TEST_F(Attention, ProjectedByOneMatrix) {
  const auto x = [] { return std::vector<at::Tensor>{real({2, 4, 10}), real({10, 36}), real({36})}; };
  const Attributes heads{attr("num_heads", 3)};
  EXPECT_EQ(differs_from_runtime(runtime("Attention", x(), heads)), "");
  EXPECT_EQ(differs_from_runtime(runtime("Attention", x(), {attr("num_heads", 3), attr("unidirectional", 1)})), "");
  const auto masked = [&](at::Tensor mask) {
    auto operands = x();
    operands.push_back(std::move(mask));
    return differs_from_runtime(runtime("Attention", operands, heads));
  };
  EXPECT_EQ(masked(whole({4, 2})), "");
  EXPECT_EQ(masked(whole({4, 3, 0, 1})), "");
  EXPECT_EQ(masked(whole({1, 1, 1, 0, 0, 1, 1, 1}).reshape({2, 4})), "");
  EXPECT_EQ(masked(at::ones({2, 4, 4}, at::kInt).tril()), "");
  auto operands = x();
  operands.resize(5);
  operands[4] = real({2, 2, 3, 5, 4});
  EXPECT_EQ(differs_from_runtime(runtime("Attention", operands, {attr("num_heads", 3), attr("unidirectional", 1)}, 2)),
            "");
  operands = x();
  operands.resize(6);
  operands[5] = real({2, 3, 4, 4});
  EXPECT_EQ(differs_from_runtime(runtime("Attention", operands, heads)), "");
  EXPECT_EQ(differs_from_runtime(runtime("Attention", {real({2, 4, 10}), real({10, 30}), real({30})},
                                         {attr("num_heads", 3), attr("scale", 0.4f),
                                          attr("qkv_hidden_sizes", std::vector<std::int64_t>{12, 12, 6})})),
            "");
}

TEST_F(Attention, MultiHead) {
  const auto qkv = [] { return std::vector<at::Tensor>{real({2, 4, 12}), real({2, 6, 12}), real({2, 6, 18})}; };
  const Attributes heads{attr("num_heads", 3)};
  EXPECT_EQ(differs_from_runtime(runtime("MultiHeadAttention", qkv(), heads)), "");
  auto operands = qkv();
  operands.push_back(real({42}));
  operands.push_back(whole({1, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 0}).reshape({2, 6}));
  operands.push_back(real({1, 3, 4, 6}));
  EXPECT_EQ(differs_from_runtime(runtime("MultiHeadAttention", operands, heads)), "");
  operands = {real({2, 4, 12}), real({2, 4, 12}), real({2, 4, 12}), {}, {}, {}, real({2, 3, 5, 4}), real({2, 3, 5, 4})};
  EXPECT_EQ(differs_from_runtime(runtime("MultiHeadAttention", operands, heads, 3)), "");
  EXPECT_EQ(differs_from_runtime(
                runtime("MultiHeadAttention", operands, {attr("num_heads", 3), attr("unidirectional", 1)}, 3)),
            "");
  // Keys and values of another sequence come with their heads apart.
  EXPECT_EQ(differs_from_runtime(
                runtime("MultiHeadAttention", {real({2, 4, 12}), real({2, 3, 6, 4}), real({2, 3, 6, 4})}, heads)),
            "");
}

// Query, key, value, cache, last keys, steps in all.
std::vector<at::Tensor> grouped(std::int64_t steps, std::int64_t past, std::vector<int> last, int all) {
  std::vector<at::Tensor> out{real({2, steps, 64}),   real({2, steps, 32}), real({2, steps, 32}), {}, {},
                              whole(std::move(last)), whole({all})};
  if (past > 0) out[3] = real({2, 2, past, 16}), out[4] = real({2, 2, past, 16});
  return out;
}

TEST_F(Attention, GroupedQuery) {
  const Attributes heads{attr("num_heads", 4), attr("kv_num_heads", 2)};
  const auto with = [&](graph::Attribute extra) {
    Attributes out = heads;
    out.push_back(std::move(extra));
    return out;
  };
  EXPECT_EQ(differs_from_runtime(runtime("GroupQueryAttention", grouped(5, 0, {4, 4}, 5), heads, 3)), "");
  EXPECT_EQ(differs_from_runtime(runtime("GroupQueryAttention", grouped(1, 6, {6, 6}, 7), heads, 3)), "");
  EXPECT_EQ(differs_from_runtime(
                runtime("GroupQueryAttention", grouped(5, 0, {4, 4}, 5), with(attr("local_window_size", 2)), 3)),
            "");
  EXPECT_EQ(
      differs_from_runtime(runtime("GroupQueryAttention", grouped(1, 6, {6, 6}, 7), with(attr("softcap", 3.0f)), 3)),
      "");
  EXPECT_EQ(differs_from_runtime(
                runtime("GroupQueryAttention", grouped(5, 0, {4, 4}, 5), with(attr("smooth_softmax", 1)), 3)),
            "");
  for (const int interleaved : {0, 1}) {
    auto operands = grouped(1, 6, {6, 6}, 7);
    operands.push_back(real({12, 8}));
    operands.push_back(real({12, 8}));
    Attributes turning = with(attr("do_rotary", 1));
    turning.push_back(attr("rotary_interleaved", interleaved));
    EXPECT_EQ(differs_from_runtime(runtime("GroupQueryAttention", operands, turning, 3)), "");
  }
  auto operands = grouped(5, 0, {4, 4}, 5);
  operands.resize(12);
  operands[10] = real({2, 4, 5, 5});
  operands[11] = real({4});
  EXPECT_EQ(differs_from_runtime(runtime("GroupQueryAttention", operands, heads, 3)), "");
  // All in one operand.
  operands = grouped(5, 0, {4, 4}, 5);
  operands[0] = real({2, 5, 128});
  operands[1] = operands[2] = at::Tensor();
  EXPECT_EQ(differs_from_runtime(runtime("GroupQueryAttention", operands, heads, 3)), "");
}

TEST_F(Attention, RotaryEmbedding) {
  const at::Tensor cosines = real({20, 4}), sines = real({20, 4});
  const at::Tensor positions = at::tensor(std::vector<std::int64_t>{3, 1, 4, 1, 5, 9, 2, 6, 5, 3}).reshape({2, 5});
  for (const int interleaved : {0, 1}) {
    const Attributes attributes{attr("interleaved", interleaved)};
    EXPECT_EQ(
        differs_from_runtime(runtime("RotaryEmbedding", {real({2, 5, 24}), positions, cosines, sines}, attributes)),
        "");
    EXPECT_EQ(differs_from_runtime(
                  runtime("RotaryEmbedding",
                          {real({2, 3, 5, 8}), at::tensor(std::vector<std::int64_t>{7}), cosines, sines}, attributes)),
              "");
    RuntimeCase one{"RotaryEmbedding", {real({2, 3, 5, 8}), cosines, sines, positions}, attributes, 1, {}, 23};
    EXPECT_EQ(differs_from_runtime(one), "");
    one.operands = {real({2, 5, 36}), real({2, 5, 4}), real({2, 5, 4})};
    one.attributes.push_back(attr("num_heads", 3));
    one.attributes.push_back(attr("rotary_embedding_dim", 8));
    EXPECT_EQ(differs_from_runtime(one), "");
  }
}

}  // namespace
}  // namespace coppice
