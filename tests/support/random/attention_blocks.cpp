#include <cmath>
#include <utility>

#include "support/random/blocks.hpp"

namespace coppice::test {
namespace {

Feature scaled_softmax(Maker& m, const Feature& scores, std::int64_t dim) {
  const float scale = 1 / std::sqrt(static_cast<float>(dim));
  const Feature y =
      m.chance(0.5) ? m.map("Mul", scores, {m.scalar(scale)}) : m.map("Div", scores, {m.scalar(1 / scale)});
  return m.map("Softmax", y, {}, {graph::attr("axis", -1)});
}

// [N, T, heads * dim] to [N, heads, T, dim].
Feature to_heads(Maker& m, const Feature& x, std::int64_t heads) {
  const Feature y = m.reshape(x, {x[0], x[1], heads, x[2] / heads});
  return m.transpose(y, {0, 2, 1, 3});
}

Feature from_heads(Maker& m, const Feature& x) {
  const Feature y = m.transpose(x, {0, 2, 1, 3});
  return m.reshape(y, {x[0], x[2], x[1] * x[3]});
}

Feature project_back(Maker& m, const Feature& x, const Feature& mixed) {
  return m.map("Add", x, {m.linear(mixed, x[2])});
}

Feature separate(Maker& m, const Feature& x) {
  const std::int64_t heads = m.one_of({2, 4}), dim = m.one_of({2, 4}), value = m.one_of({2, 4});
  const Feature q = to_heads(m, m.linear(x, heads * dim), heads);
  const Feature k = to_heads(m, m.linear(x, heads * dim), heads);
  const Feature v = to_heads(m, m.linear(x, heads * value), heads);
  const Feature scores = m.matmul(q, m.transpose(k, {0, 1, 3, 2}));
  return project_back(m, x, from_heads(m, m.matmul(scaled_softmax(m, scores, dim), v)));
}

// One matrix makes queries, keys and values; a factored axis [3, heads, dim] takes them apart.
Feature fused(Maker& m, const Feature& x) {
  const std::int64_t heads = m.one_of({2, 4}), dim = m.one_of({2, 4});
  const Feature all = m.reshape(m.linear(x, 3 * heads * dim), {x[0], x[1], 3, heads, dim});
  const Shape one{x[0], heads, x[1], dim};
  Feature q, k, v;
  if (m.chance(0.5)) {
    const Feature moved = m.transpose(all, {2, 0, 3, 1, 4});
    const auto take = [&](std::int64_t i) {
      return m.op("Gather", {moved, m.builder.int_scalar(i)}, one, {graph::attr("axis", 0)});
    };
    q = take(0);
    k = take(1);
    v = take(2);
  } else {
    const std::vector<Feature> parts = m.split(m.transpose(all, {0, 2, 3, 1, 4}), 1, {1, 1, 1});
    q = m.squeeze(parts[0], {1});
    k = m.squeeze(parts[1], {1});
    v = m.squeeze(parts[2], {1});
  }
  const Feature scores = m.matmul(q, m.transpose(k, {0, 1, 3, 2}));
  return project_back(m, x, from_heads(m, m.matmul(scaled_softmax(m, scores, dim), v)));
}

Feature split_fused(Maker& m, const Feature& x) {
  const std::int64_t heads = m.one_of({2, 4}), dim = m.one_of({2, 4}), wide = heads * dim;
  const std::vector<Feature> parts = m.split(m.linear(x, 3 * wide), 2, {wide, wide, wide});
  const Feature q = to_heads(m, parts[0], heads), k = to_heads(m, parts[1], heads), v = to_heads(m, parts[2], heads);
  const Feature scores = m.matmul(q, m.transpose(k, {0, 1, 3, 2}));
  return project_back(m, x, from_heads(m, m.matmul(scaled_softmax(m, scores, dim), v)));
}

// Keys and values have fewer heads, repeated by Expand and a reshape.
Feature grouped_query(Maker& m, const Feature& x) {
  const std::int64_t kv = 2, repeat = 2, heads = kv * repeat, dim = 4;
  const Feature q = to_heads(m, m.linear(x, heads * dim, false), heads);
  const auto repeated = [&](const Feature& narrow) {
    const Feature five = m.unsqueeze(to_heads(m, narrow, kv), {2});
    const Feature wide = m.op("Expand", {five, m.builder.ints({1, 1, repeat, 1, 1})}, {x[0], kv, repeat, x[1], dim});
    return m.reshape(wide, {x[0], heads, x[1], dim});
  };
  const Feature k = repeated(m.linear(x, kv * dim, false));
  const Feature v = repeated(m.linear(x, kv * dim, false));
  const Feature scores = m.matmul(q, m.transpose(k, {0, 1, 3, 2}));
  return project_back(m, x, from_heads(m, m.matmul(scaled_softmax(m, scores, dim), v)));
}

Feature einsum(Maker& m, const Feature& x) {
  const std::int64_t heads = m.one_of({2, 4}), dim = 4;
  const auto project = [&] { return m.reshape(m.linear(x, heads * dim), {x[0], x[1], heads, dim}); };
  const Feature q = project(), k = project(), v = project();
  const Feature scores = m.op("Einsum", {q, k}, {x[0], heads, x[1], x[1]}, {text("equation", "bqhd,bkhd->bhqk")});
  const Feature mixed = m.op("Einsum", {scaled_softmax(m, scores, dim), v}, {x[0], x[1], heads, dim},
                             {text("equation", "bhqk,bkhd->bqhd")});
  return project_back(m, x, m.reshape(mixed, {x[0], x[1], heads * dim}));
}

// The projections are weights of three axes: [channels, heads, dim].
Feature einsum_projections(Maker& m, const Feature& x) {
  const std::int64_t heads = m.one_of({2, 4}), dim = 4;
  const auto project = [&] {
    const ValueId w = m.weight({x[2], heads, dim}, x[2]);
    return m.op("Einsum", {x, w}, {x[0], heads, x[1], dim}, {text("equation", "btc,chd->bhtd")});
  };
  const Feature q = project(), k = project(), v = project();
  const Feature scores = m.matmul(q, m.transpose(k, {0, 1, 3, 2}));
  const Feature mixed = m.matmul(scaled_softmax(m, scores, dim), v);
  const ValueId out = m.weight({heads, dim, x[2]}, heads * dim);
  return m.map("Add", x, {m.op("Einsum", {mixed, out}, x.shape, {text("equation", "bhtd,hdc->btc")})});
}

// Heads merge with the batch, as in fairseq and torch.nn.MultiheadAttention.
Feature batched_heads(Maker& m, const Feature& x) {
  const std::int64_t heads = m.one_of({2, 4}), dim = 4;
  const auto project = [&] {
    const Feature y = to_heads(m, m.linear(x, heads * dim), heads);
    return m.reshape(y, {x[0] * heads, x[1], dim});
  };
  const Feature q = project(), k = project(), v = project();
  const Feature scores = m.matmul(q, m.transpose(k, {0, 2, 1}));
  const Feature mixed = m.matmul(scaled_softmax(m, scores, dim), v);
  const Feature apart = m.op("Reshape", {mixed, m.builder.ints({-1, heads, x[1], dim})}, {x[0], heads, x[1], dim});
  return project_back(m, x, from_heads(m, apart));
}

// XCiT: attention between channels. A softmax over channels holds them.
Feature cross_covariance(Maker& m, const Feature& x) {
  const std::int64_t wide = m.width();
  const Feature q = m.linear(x, wide), k = m.linear(x, wide), v = m.linear(x, wide);
  const Feature scores = m.matmul(m.transpose(q, {0, 2, 1}), k);
  const Feature mixed = m.matmul(scaled_softmax(m, scores, x[1]), m.transpose(v, {0, 2, 1}));
  return project_back(m, x, m.transpose(mixed, {0, 2, 1}));
}

// Pairs of channels turn by an angle that grows with the position.
Feature rotary(Maker& m, const Feature& x) {
  const std::int64_t heads = 2, dim = 4;
  std::vector<float> c, s;
  for (std::int64_t t = 0; t < x[1]; ++t)
    for (std::int64_t d = 0; d < dim; ++d) {
      const float angle = static_cast<float>(t) / (d % 2 ? 10.0f : 1.0f);
      c.push_back(std::cos(angle));
      s.push_back(std::sin(angle));
    }
  const ValueId shape = m.builder.ints({1, 1, x[1], dim});
  const ValueId cosine = m.builder.op("Reshape", {m.constant("cos", c), shape});
  const ValueId sine = m.builder.op("Reshape", {m.constant("sin", s), shape});
  const auto turned = [&](const Feature& y) {
    const Feature left = m.slice(y, 3, 0, dim / 2), right = m.slice(y, 3, dim / 2, dim);
    const Feature other = m.concat({m.map("Neg", right), left}, 3);
    return m.map("Add", m.map("Mul", y, {cosine}), {m.map("Mul", other, {sine})});
  };
  const Feature q = turned(to_heads(m, m.linear(x, heads * dim), heads));
  const Feature k = turned(to_heads(m, m.linear(x, heads * dim), heads));
  const Feature v = to_heads(m, m.linear(x, heads * dim), heads);
  const Feature scores = m.matmul(q, m.transpose(k, {0, 1, 3, 2}));
  return project_back(m, x, from_heads(m, m.matmul(scaled_softmax(m, scores, dim), v)));
}

constexpr Block blocks[] = {
    {"attention, separate projections", separate},
    {"attention, one factored projection", fused},
    {"attention, one split projection", split_fused},
    {"grouped-query attention", grouped_query},
    {"attention by Einsum", einsum},
    {"attention, Einsum projections", einsum_projections},
    {"attention, heads in the batch", batched_heads},
    {"cross-covariance attention", cross_covariance},
    {"rotary attention", rotary},
};

}  // namespace

std::span<const Block> attention_blocks() {
  return blocks;
}

}  // namespace coppice::test
