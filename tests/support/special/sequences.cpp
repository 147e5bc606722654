#include "support/special_graphs.hpp"

namespace coppice::test {
namespace {

constexpr std::int64_t frames = 6;

Feature stem(Maker& m, std::int64_t channels) {
  return m.linear(m.input("frames", {2, frames, 7}), channels);
}

void head(Maker& m, const Feature& x) {
  m.output(m.linear(x, 5), "logits");
}

// Two key and value heads serve four query heads; a fifth axis repeats them.
void grouped_query_attention(Maker& m) {
  const std::int64_t kv = 2, repeat = 2, heads = 4, dim = 4;
  const Feature x = stem(m, 12);
  const auto split_heads = [&](const Feature& y, std::int64_t count) {
    return m.transpose(m.reshape(y, {2, frames, count, dim}), {0, 2, 1, 3});
  };
  const auto repeated = [&](const Feature& y) {
    const Feature wide =
        m.op("Expand", {m.unsqueeze(split_heads(y, kv), {2}), m.builder.ints({2, kv, repeat, frames, dim})},
             {2, kv, repeat, frames, dim});
    return m.reshape(wide, {2, heads, frames, dim});
  };
  const Feature q = split_heads(m.linear(x, heads * dim, false), heads);
  const Feature k = repeated(m.linear(x, kv * dim, false));
  const Feature v = repeated(m.linear(x, kv * dim, false));
  const Feature scores = m.map("Mul", m.matmul(q, m.transpose(k, {0, 1, 3, 2})), {m.scalar(0.5f)});
  const Feature mixed = m.matmul(m.map("Softmax", scores, {}, {graph::attr("axis", -1)}), v);
  const Feature flat = m.reshape(m.transpose(mixed, {0, 2, 1, 3}), {2, frames, heads * dim});
  head(m, m.map("Add", x, {m.linear(flat, 12, false)}));
}

void einsum_attention(Maker& m) {
  const std::int64_t heads = 4, dim = 4;
  const Feature x = stem(m, 12);
  const auto project = [&] { return m.reshape(m.linear(x, heads * dim), {2, frames, heads, dim}); };
  const Feature q = project(), k = project(), v = project();
  const Feature scores = m.op("Einsum", {q, k}, {2, heads, frames, frames}, {text("equation", "bqhd,bkhd->bhqk")});
  const Feature weights = m.map("Softmax", m.map("Mul", scores, {m.scalar(0.5f)}), {}, {graph::attr("axis", -1)});
  const Feature mixed = m.op("Einsum", {weights, v}, q.shape, {text("equation", "bhqk,bkhd->bqhd")});
  head(m, m.map("Add", x, {m.linear(m.reshape(mixed, {2, frames, heads * dim}), 12)}));
}

// Deformable attention: every head samples its own image where its own offsets say; heads lie in the batch.
void deformable_attention(Maker& m) {
  const std::int64_t heads = 4, dim = 4, points = 3;
  const Feature x = stem(m, 12);
  const Feature values = m.transpose(m.reshape(m.linear(x, heads * dim), {2, frames, heads, dim}), {0, 2, 3, 1});
  const Feature images = m.reshape(values, {2 * heads, dim, 2, frames / 2});
  const Feature offsets = m.map("Tanh", m.linear(x, heads * points * 2));
  const Feature grid = m.reshape(m.transpose(m.reshape(offsets, {2, frames, heads, points, 2}), {0, 2, 1, 3, 4}),
                                 {2 * heads, frames, points, 2});
  const Feature sampled = m.op("GridSample", {images, grid}, {2 * heads, dim, frames, points});
  const Feature scores = m.reshape(m.linear(x, heads * points), {2, frames, heads, points});
  const Feature weights = m.transpose(m.map("Softmax", scores, {}, {graph::attr("axis", -1)}), {0, 2, 1, 3});
  const Feature gated = m.map("Mul", sampled, {m.reshape(weights, {2 * heads, 1, frames, points})});
  const Feature mixed = m.reshape(m.reduce("ReduceSum", gated, {3}, false), {2, heads * dim, frames});
  head(m, m.map("Add", x, {m.linear(m.transpose(mixed, {0, 2, 1}), 12)}));
}

void layer_normalization(Maker& m) {
  const Feature x = stem(m, 12);
  const Feature y = m.map("Add", x, {m.linear(m.map("Relu", m.linear(x, 20)), 12)});
  const ValueId scale = m.positive("ln_scale", {12});
  head(m, m.map("LayerNormalization", y, {scale, m.bias({12})}, {graph::attr("axis", -1)}));
}

// One matrix embeds the tokens and, transposed, scores them.
void tied_embedding(Maker& m) {
  const ValueId ids = m.token_input("ids", {2, frames}, 20);
  const ValueId table = m.values("embedding", {20, 12}, 1);
  const Feature x = m.op("Gather", {table, ids}, {2, frames, 12}, {graph::attr("axis", 0)});
  const Feature y = m.map("Add", x, {m.linear(m.map("Relu", m.linear(x, 20)), 12)});
  const ValueId back = m.builder.op("Transpose", {table}, {ints("perm", {1, 0})});
  m.output(m.op("MatMul", {y, back}, {2, frames, 20}), "logits");
}

void lstm(Maker& m) {
  const std::int64_t hidden = 8;
  const Feature steps = m.transpose(stem(m, 12), {1, 0, 2});
  const ValueId w = m.weight({2, 4 * hidden, 12}, 12), r = m.weight({2, 4 * hidden, hidden}, hidden);
  const ValueId b = m.bias({2, 8 * hidden});
  const Feature zero{m.values("initial", {2, 2, hidden}, 0), {2, 2, hidden}};
  const Feature all = m.op("LSTM", {steps, w, r, b, graph::no_value, zero, zero}, {frames, 2, 2, hidden},
                           {graph::attr("hidden_size", static_cast<int>(hidden)), text("direction", "bidirectional")});
  const Feature y =
      m.op("Reshape", {m.transpose(all, {0, 2, 1, 3}), m.builder.ints({0, 0, -1})}, {frames, 2, 2 * hidden});
  head(m, m.transpose(y, {1, 0, 2}));
}

void gru(Maker& m) {
  const std::int64_t hidden = 8;
  const Feature steps = m.transpose(stem(m, 12), {1, 0, 2});
  const ValueId w = m.weight({1, 3 * hidden, 12}, 12), r = m.weight({1, 3 * hidden, hidden}, hidden);
  const ValueId b = m.bias({1, 6 * hidden});
  const Feature all =
      m.op("GRU", {steps, w, r, b}, {frames, 1, 2, hidden},
           {graph::attr("hidden_size", static_cast<int>(hidden)), graph::attr("linear_before_reset", 1)});
  head(m, m.transpose(m.squeeze(all, {1}), {1, 0, 2}));
}

constexpr SpecialGraph graphs[] = {
    {"grouped_query_attention", grouped_query_attention},
    {"einsum_attention", einsum_attention},
    {"deformable_attention", deformable_attention},
    {"layer_normalization", layer_normalization},
    {"tied_embedding", tied_embedding},
    {"lstm", lstm},
    {"gru", gru},
};

}  // namespace

std::span<const SpecialGraph> special_sequences() {
  return graphs;
}

}  // namespace coppice::test
