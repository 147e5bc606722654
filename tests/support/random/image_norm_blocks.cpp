#include "support/random/blocks.hpp"

namespace coppice::test {
namespace {

Feature affine(Maker& m, const Feature& x) {
  const Feature y = m.map("Mul", x, {m.positive("gamma", {x[1], 1, 1})});
  return m.map("Add", y, {m.values("beta", {x[1], 1, 1}, 0.3)});
}

// As exporters write it: instance norm with unit parameters over [N, G, rest].
Feature group_norm(Maker& m, const Feature& x) {
  const std::int64_t groups = m.one_of({1, 2, 4});
  const Feature x1 = m.conv(x, m.width(), {});
  const Feature folded = m.reshape(x1, {x1[0], groups, x1[1] / groups * x1[2] * x1[3]});
  const ValueId one = m.constant("unit", std::vector<float>(static_cast<std::size_t>(groups), 1.0f));
  const ValueId zero = m.constant("nil", std::vector<float>(static_cast<std::size_t>(groups), 0.0f));
  const Feature normal = m.map("InstanceNormalization", folded, {one, zero});
  const Feature y =
      m.chance(0.5) ? m.reshape(normal, x1.shape) : m.op("Reshape", {normal, m.builder.op("Shape", {x1})}, x1.shape);
  return m.activation(affine(m, y));
}

Feature instance_norm(Maker& m, const Feature& x) {
  const Feature y = m.conv(x, m.width(), {});
  const ValueId scale = m.positive("in_scale", {y[1]});
  return m.map("InstanceNormalization", y, {scale, m.bias({y[1]})});
}

// The norm of ConvNeXt's stem: mean and variance over channels, channels first.
Feature channel_layer_norm(Maker& m, const Feature& x) {
  const Feature centred = m.map("Sub", x, {m.reduce("ReduceMean", x, {1}, true)});
  const Feature square = m.map("Pow", centred, {m.scalar(2)});
  const Feature variance = m.reduce("ReduceMean", square, {1}, true);
  const Feature deviation = m.map("Sqrt", m.map("Add", variance, {m.scalar(1e-6f)}));
  return affine(m, m.map("Div", centred, {deviation}));
}

Feature channels_last_norm(Maker& m, const Feature& x) {
  Feature y = m.transpose(x, {0, 2, 3, 1});
  const ValueId scale = m.positive("ln_scale", {x[1]});
  y = m.map("LayerNormalization", y, {scale, m.bias({x[1]})}, {graph::attr("axis", -1)});
  return m.transpose(y, {0, 3, 1, 2});
}

Feature l2_normalise(Maker& m, const Feature& x) {
  const Feature norm = m.reduce("ReduceL2", x, {1}, true);
  const Feature safe = m.op("Clip", {norm, m.scalar(1e-12f)}, norm.shape);
  const Feature wide = m.op("Expand", {safe, m.builder.op("Shape", {x})}, x.shape);
  return m.map("Mul", m.map("Div", x, {m.chance(0.5) ? wide : safe}), {m.scalar(3)});
}

Feature lp_normalise(Maker& m, const Feature& x) {
  const Feature y = m.map("LpNormalization", x, {}, {graph::attr("axis", 1), graph::attr("p", 2)});
  return m.map("Mul", y, {m.scalar(3)});
}

Feature response_norm(Maker& m, const Feature& x) {
  return m.map("LRN", x, {}, {graph::attr("size", 3), real("alpha", 0.1f)});
}

// Global response norm: each channel's size relative to the mean over channels.
Feature global_response(Maker& m, const Feature& x) {
  const Feature size = m.reduce("ReduceL2", x, {2, 3}, true);
  const Feature mean = m.map("Add", m.reduce("ReduceMean", size, {1}, true), {m.scalar(1e-3f)});
  const Feature ratio = m.map("Div", size, {mean});
  return m.map("Add", x, {m.map("Mul", affine(m, x), {ratio})});
}

constexpr Block blocks[] = {
    {"group norm by instance norm", group_norm},
    {"instance norm", instance_norm},
    {"layer norm over channels", channel_layer_norm},
    {"layer norm, channels last", channels_last_norm},
    {"L2 normalise", l2_normalise},
    {"LpNormalization", lp_normalise},
    {"local response norm", response_norm},
    {"global response norm", global_response},
};

}  // namespace

std::span<const Block> image_norm_blocks() {
  return blocks;
}

}  // namespace coppice::test
