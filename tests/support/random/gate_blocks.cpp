#include "support/random/blocks.hpp"

namespace coppice::test {
namespace {

Feature global_pool(Maker& m, const Feature& x) {
  const Shape shape{x[0], x[1], 1, 1};
  switch (m.pick(0, 3)) {
    case 0:
      return m.reduce("ReduceMean", x, {2, 3}, true);
    case 1:
      return m.reduce("ReduceMean", x, {-1, -2}, true);
    case 2:
      return m.op("GlobalMaxPool", {x}, shape);
    default:
      return m.op("GlobalAveragePool", {x}, shape);
  }
}

Feature squeeze_excite(Maker& m, const Feature& x) {
  Feature gate = m.activation(m.conv(global_pool(m, x), 8, {.kernel = 1}));
  gate = m.map(m.chance(0.5) ? "Sigmoid" : "HardSigmoid", m.conv(gate, x[1], {.kernel = 1}));
  return m.chance(0.5) ? m.map("Mul", x, {gate}) : m.op("Mul", {gate, x}, x.shape);
}

Feature squeeze_excite_dense(Maker& m, const Feature& x) {
  Feature gate = global_pool(m, x);
  gate = m.chance(0.5) ? m.op("Flatten", {gate}, {x[0], x[1]}, {graph::attr("axis", 1)}) : m.squeeze(gate, {2, 3});
  gate = m.map("Sigmoid", m.linear(m.map("Relu", m.linear(gate, 8)), x[1]));
  gate = m.chance(0.5) ? m.unsqueeze(gate, {2, 3}) : m.reshape(gate, {x[0], x[1], 1, 1});
  return m.map("Mul", x, {gate});
}

// CBAM's second half: statistics over channels make a gate per pixel.
Feature spatial_gate(Maker& m, const Feature& x) {
  const Feature mean = m.reduce("ReduceMean", x, {1}, true);
  const Feature top = m.reduce("ReduceMax", x, {1}, true);
  const Feature gate = m.map("Sigmoid", m.conv(m.concat({mean, top}, 1), 1, {}));
  return m.map("Mul", x, {gate});
}

// ECA: a small convolution runs along the channels themselves.
Feature channel_conv_gate(Maker& m, const Feature& x) {
  Feature gate = m.squeeze(global_pool(m, x), {3});
  gate = m.transpose(gate, {0, 2, 1});
  const ValueId w = m.weight({1, 1, 3}, 3);
  gate = m.op("Conv", {gate, w}, gate.shape, {ints("kernel_shape", {3}), ints("pads", {1, 1})});
  gate = m.unsqueeze(m.transpose(m.map("Sigmoid", gate), {0, 2, 1}), {3});
  return m.map("Mul", x, {gate});
}

Feature gated_linear(Maker& m, const Feature& x) {
  const std::int64_t out = m.width();
  const std::vector<Feature> parts = m.split(m.conv(x, 2 * out, {}), 1, {out, out});
  return m.map("Mul", parts[0], {m.map("Sigmoid", parts[1])});
}

Feature per_channel_parameters(Maker& m, const Feature& x) {
  const Shape shape = m.chance(0.5) ? Shape{x[1], 1, 1} : Shape{1, x[1], 1, 1};
  const Feature y = m.map("Mul", x, {m.values("scale", shape, 0.5, 1)});
  return m.map("Add", y, {m.values("shift", shape, 0.3)});
}

Feature prelu(Maker& m, const Feature& x) {
  const Feature y = m.conv(x, m.width(), {.kernel = 1});
  return m.map("PRelu", y, {m.values("slope", {y[1], 1, 1}, 0.2)});
}

Feature where(Maker& m, const Feature& x) {
  const Feature positive = m.op("Greater", {x, m.scalar(0)}, x.shape);
  const Feature small = m.map("Mul", x, {m.scalar(0.1f)});
  return m.op("Where", {positive, x, small}, x.shape);
}

// Selects between two branches by a condition per pixel.
Feature where_pixel(Maker& m, const Feature& x) {
  const Feature y = m.conv(x, x[1], {.kernel = 1});
  const Feature score = m.conv(x, 1, {.kernel = 1});
  const Feature condition = m.op("Greater", {score, m.scalar(0)}, score.shape);
  return m.op("Where", {condition, x, y}, x.shape);
}

// A softmax over all channels, then used as weights.
Feature channel_softmax(Maker& m, const Feature& x) {
  const Feature y = m.map("Softmax", m.conv(x, x[1], {.kernel = 1}), {}, {graph::attr("axis", 1)});
  return m.map("Add", x, {m.map("Mul", y, {x})});
}

// Selective kernels: a softmax over two stacked branches, per channel.
Feature selective_kernels(Maker& m, const Feature& x) {
  const Feature a = m.conv(x, x[1], {}), b = m.conv(x, x[1], {.dilation = 2});
  const Feature stack = m.concat({m.unsqueeze(a, {1}), m.unsqueeze(b, {1})}, 1);
  const Feature sum = m.reduce("ReduceSum", stack, {1}, false);
  const Feature squeezed = m.activation(m.conv(global_pool(m, sum), 8, {.kernel = 1}));
  const Feature one = m.unsqueeze(m.conv(squeezed, x[1], {.kernel = 1}), {1});
  const Feature two = m.unsqueeze(m.conv(squeezed, x[1], {.kernel = 1}), {1});
  const Feature weights = m.map("Softmax", m.concat({one, two}, 1), {}, {graph::attr("axis", 1)});
  return m.reduce("ReduceSum", m.map("Mul", stack, {weights}), {1}, false);
}

// One value a pixel is stretched over the channels, which are then summed: what is stretched to is not zero.
Feature stretched(Maker& m, const Feature& x) {
  const Feature y = m.map("Add", m.map("Abs", m.conv(x, m.width(), {.kernel = 1})), {m.scalar(1)});
  const Feature pixel = m.conv(x, 1, {.kernel = 1});
  const Feature parts = m.chance(0.5)
                            ? m.op("Div", {pixel, y}, y.shape)
                            : m.op("Add", {m.op("Expand", {pixel, m.builder.op("Shape", {y})}, y.shape), y}, y.shape);
  const Feature sum = m.reduce(m.chance(0.5) ? "ReduceSum" : "ReduceL2", parts, {1}, true);
  return m.map("Mul", x, {m.map("Tanh", sum)});
}

constexpr Block blocks[] = {
    {"squeeze-excite", squeeze_excite},
    {"squeeze-excite by dense layers", squeeze_excite_dense},
    {"spatial gate", spatial_gate},
    {"convolution along channels", channel_conv_gate},
    {"gated linear unit", gated_linear},
    {"per-channel parameters", per_channel_parameters},
    {"prelu", prelu},
    {"where", where},
    {"where per pixel", where_pixel},
    {"channel softmax", channel_softmax},
    {"selective kernels", selective_kernels},
    {"stretched over channels", stretched},
};

}  // namespace

std::span<const Block> gate_blocks() {
  return blocks;
}

}  // namespace coppice::test
