#include "support/random/blocks.hpp"

namespace coppice::test {
namespace {

Feature affine(Maker& m, const Feature& x) {
  const Feature y = m.map("Mul", x, {m.positive("gamma", {x.shape.back()})});
  return m.map("Add", y, {m.values("beta", {x.shape.back()}, 0.3)});
}

Feature fused(Maker& m, const Feature& x) {
  const ValueId scale = m.positive("ln_scale", {x[2]});
  return m.map("LayerNormalization", x, {scale, m.bias({x[2]})},
               {graph::attr("axis", m.chance(0.5) ? -1 : 2), real("epsilon", 1e-6f)});
}

Feature decomposed(Maker& m, const Feature& x) {
  const Feature centred = m.map("Sub", x, {m.reduce("ReduceMean", x, {-1}, true)});
  const Feature square = m.chance(0.5) ? m.map("Pow", centred, {m.scalar(2)}) : m.map("Mul", centred, {centred});
  const Feature variance = m.reduce("ReduceMean", square, {-1}, true);
  const Feature deviation = m.map("Sqrt", m.map("Add", variance, {m.scalar(1e-5f)}));
  return affine(m, m.map("Div", centred, {deviation}));
}

Feature rms(Maker& m, const Feature& x) {
  const Feature mean = m.reduce("ReduceMean", m.map("Pow", x, {m.scalar(2)}), {-1}, true);
  const Feature root = m.map("Sqrt", m.map("Add", mean, {m.scalar(1e-6f)}));
  const Feature y = m.chance(0.5) ? m.map("Div", x, {root}) : m.map("Mul", x, {m.map("Reciprocal", root)});
  return m.map("Mul", y, {m.positive("rms_scale", {x[2]})});
}

// Statistics over each head's channels (query and key norms).
Feature grouped(Maker& m, const Feature& x) {
  const std::int64_t groups = 2;
  const Feature y = m.linear(x, m.width());
  const Feature apart = m.reshape(y, {y[0], y[1], groups, y[2] / groups});
  const Feature mean = m.reduce("ReduceMean", m.map("Mul", apart, {apart}), {3}, true);
  const Feature root = m.map("Sqrt", m.map("Add", mean, {m.scalar(1e-6f)}));
  return m.reshape(m.map("Div", apart, {root}), y.shape);
}

Feature batch_norm(Maker& m, const Feature& x) {
  return m.transpose(m.batch_norm(m.transpose(x, {0, 2, 1})), {0, 2, 1});
}

Feature over_two_axes(Maker& m, const Feature& x) {
  const Shape shape{x[1], x[2]};
  const ValueId scale = m.positive("ln_scale", shape);
  return m.map("LayerNormalization", x, {scale, m.bias(shape)}, {graph::attr("axis", 1)});
}

constexpr Block blocks[] = {
    {"layer norm", fused},
    {"layer norm in pieces", decomposed},
    {"rms norm", rms},
    {"rms norm per group", grouped},
    {"batch norm over time", batch_norm},
    {"layer norm over time and channels", over_two_axes},
};

}  // namespace

std::span<const Block> sequence_norm_blocks() {
  return blocks;
}

}  // namespace coppice::test
