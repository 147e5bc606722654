#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

/// Operators of ONNX Runtime's domain that belong to no other family.
namespace coppice::graph::ops {
namespace {

void infer_activation(InferContext& c) {
  expect_inputs(c, 1);
  same_as_input(c);
}

// A bias of one number a channel of the last axis is added first.
void infer_biased_activation(InferContext& c) {
  expect_inputs(c, 1);
  expect_rank(c, 1, 1, 1);
  const Fact &x = c.in(0), &bias = c.in(1);
  if (x.ranked && bias.ranked) {
    expect_rank(c, 0, 1, 32);
    dim_same(x.shape.back(), bias.shape[0], "length of the bias");
  }
  same_as_input(c);
}

// Operands: ids, segment ids, word, position and segment embeddings...; results: (batch, steps, hidden), mask index.
void infer_embed_layer_norm(InferContext& c) {
  expect_inputs(c, 3);
  expect_rank(c, 0, 2, 2);
  expect_rank(c, 2, 2, 2);
  const Fact &ids = c.in(0), &words = c.in(2);
  Shape out(3, unknown);
  if (ids.ranked) out = {ids.shape[0], ids.shape[1], unknown};
  if (words.ranked) out[2] = words.shape[1];
  c.out(1, Fact::of(DType::int32, {out[0]}));
  c.out(0, Fact::of(words.dtype, out));
  c.out(2, Fact::of(words.dtype, std::move(out)));
}

}  // namespace

void add_contrib_ops(std::vector<OpDef>& defs) {
  defs.push_back({"com.microsoft", "BiasGelu", infer_biased_activation});
  defs.push_back({"com.microsoft", "BiasSoftmax", infer_activation});
  defs.push_back({"com.microsoft", "EmbedLayerNormalization", infer_embed_layer_norm});
  defs.push_back({"com.microsoft", "FastGelu", infer_biased_activation});
  defs.push_back({"com.microsoft", "Gelu", infer_activation});
  defs.push_back({"com.microsoft", "Inverse", infer_activation});
  defs.push_back({"com.microsoft", "QuickGelu", infer_activation});
}

}  // namespace coppice::graph::ops
