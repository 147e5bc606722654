#include "support/random/blocks.hpp"

namespace coppice::test {
namespace {

struct Quantised {
  ValueId scale, zero;
};

Feature quantise(Maker& m, const Feature& x, Quantised how) {
  return m.map("QuantizeLinear", x, {how.scale, how.zero});
}
Feature dequantise(Maker& m, const Feature& x, Quantised how) {
  return m.map("DequantizeLinear", x, {how.scale, how.zero});
}

// Activations of unit size in uint8 around 128, or int8 around 0.
Quantised activation_range(Maker& m) {
  if (m.chance(0.5)) return {m.scalar(1.0f / 32), m.whole("zero", DType::uint8, {}, 120, 136)};
  return {m.scalar(1.0f / 32), m.whole("zero", DType::int8, {}, 0, 0)};
}

Feature fake(Maker& m, const Feature& x) {
  const Quantised range = activation_range(m);
  return dequantise(m, quantise(m, x, range), range);
}

// An int8 weight with one scale, or one per output channel, that reads back with unit gain.
ValueId quantised_weight(Maker& m, Shape shape, std::int64_t fan_in, int axis) {
  const ValueId w = m.whole("qweight", DType::int8, shape, -127, 127);
  const double scale = Maker::gain(fan_in) / 73;  // 73: the deviation of uniform whole numbers on [-127, 127]
  if (m.chance(0.5)) {
    const std::int64_t channels = shape[static_cast<std::size_t>(axis)];
    const ValueId scales = m.values("wscale", {channels}, 0.1 * scale, scale);
    const ValueId zeros = m.whole("wzero", DType::int8, {channels}, 0, 0);
    return m.builder.op("DequantizeLinear", {w, scales, zeros}, {graph::attr("axis", axis)});
  }
  return m.builder.op("DequantizeLinear", {w, m.scalar(static_cast<float>(scale))});
}

Feature qdq_conv(Maker& m, const Feature& x) {
  const std::int64_t out = m.width(), group = m.one_of({1, 1, 2});
  const ValueId w = quantised_weight(m, {out, x[1] / group, 3, 3}, 9 * x[1] / group, 0);
  const ValueId b = m.bias({out});
  const Feature y = m.op(
      "Conv", {fake(m, x), w, b}, {x[0], out, x[2], x[3]},
      {ints("kernel_shape", {3, 3}), ints("pads", {1, 1, 1, 1}), graph::attr("group", graph::AttributeValue(group))});
  return fake(m, m.map("Relu", y));
}

Feature qdq_depthwise(Maker& m, const Feature& x) {
  const ValueId w = quantised_weight(m, {x[1], 1, 3, 3}, 9, 0);
  const Feature y = m.op(
      "Conv", {fake(m, x), w}, x.shape,
      {ints("kernel_shape", {3, 3}), ints("pads", {1, 1, 1, 1}), graph::attr("group", graph::AttributeValue(x[1]))});
  return m.conv(fake(m, m.map("Relu", y)), m.width(), {.kernel = 1});
}

// Whole numbers through ConvInteger; the rest undoes the scales.
Feature conv_integer(Maker& m, const Feature& x) {
  const std::int64_t out = m.width();
  const Quantised range{m.scalar(1.0f / 32), m.whole("zero", DType::uint8, {}, 120, 136)};
  const Feature q = quantise(m, x, range);
  const ValueId w = m.whole("qweight", DType::int8, {out, x[1], 1, 1}, -127, 127);
  const Shape shape{x[0], out, x[2], x[3]};
  std::vector<ValueId> inputs{q, w, range.zero};
  if (m.chance(0.5)) inputs.push_back(m.whole("wzero", DType::int8, {}, 0, 0));
  const Feature sum = m.op("ConvInteger", inputs, shape, {ints("kernel_shape", {1, 1})});
  const Feature real_sum = m.map("Cast", sum, {}, {graph::attr("to", 1)});
  const float scale = static_cast<float>(Maker::gain(x[1]) / 73 / 32);
  const Feature y = m.map("Mul", real_sum, {m.scalar(scale)});
  return m.activation(m.map("Add", y, {m.bias({1, out, 1, 1})}));
}

Feature qlinear_conv(Maker& m, const Feature& x) {
  const std::int64_t out = m.width();
  const Quantised in{m.scalar(1.0f / 32), m.whole("zero", DType::uint8, {}, 120, 136)};
  const Quantised to{m.scalar(1.0f / 16), m.whole("zero", DType::uint8, {}, 120, 136)};
  const Feature q = quantise(m, x, in);
  const ValueId w = m.whole("qweight", DType::int8, {out, x[1], 1, 1}, -127, 127);
  const bool per_channel = m.chance(0.5);
  const double scale = Maker::gain(x[1]) / 73;
  const ValueId w_scale =
      per_channel ? m.values("wscale", {out}, 0.1 * scale, scale) : m.scalar(static_cast<float>(scale));
  const ValueId w_zero = m.whole("wzero", DType::int8, per_channel ? Shape{out} : Shape{}, 0, 0);
  const ValueId b = m.whole("qbias", DType::int32, {out}, -2000, 2000);
  const Feature y = m.op("QLinearConv", {q, in.scale, in.zero, w, w_scale, w_zero, to.scale, to.zero, b},
                         {x[0], out, x[2], x[3]}, {ints("kernel_shape", {1, 1})});
  return dequantise(m, y, to);
}

Feature dynamic_matmul(Maker& m, const Feature& x) {
  const std::int64_t out = m.width();
  const std::vector<ValueId> q = m.builder.op_multi("DynamicQuantizeLinear", {x}, 3);
  const ValueId w = m.whole("qweight", DType::int8, {x[2], out}, -127, 127);
  const Shape shape{x[0], x[1], out};
  const Feature sum = m.op("MatMulInteger", {q[0], w, q[2]}, shape);
  const Feature real_sum = m.map("Cast", sum, {}, {graph::attr("to", 1)});
  const ValueId scale = m.builder.op("Mul", {q[1], m.scalar(static_cast<float>(Maker::gain(x[2]) / 73))});
  const Feature y = m.map("Mul", real_sum, {scale});
  return m.activation(m.map("Add", y, {m.bias({out})}));
}

Feature qdq_matmul(Maker& m, const Feature& x) {
  const std::int64_t out = m.width();
  const ValueId w = quantised_weight(m, {x[2], out}, x[2], 1);
  const Feature y = m.op("MatMul", {fake(m, x), w}, {x[0], x[1], out});
  return fake(m, m.activation(m.map("Add", y, {m.bias({out})})));
}

Feature qlinear_matmul(Maker& m, const Feature& x) {
  const std::int64_t out = m.width();
  const Quantised in{m.scalar(1.0f / 32), m.whole("zero", DType::uint8, {}, 120, 136)};
  const Quantised to{m.scalar(1.0f / 16), m.whole("zero", DType::uint8, {}, 120, 136)};
  const Feature q = quantise(m, x, in);
  const ValueId w = m.whole("qweight", DType::int8, {x[2], out}, -127, 127);
  const ValueId w_scale = m.scalar(static_cast<float>(Maker::gain(x[2]) / 73));
  const ValueId w_zero = m.whole("wzero", DType::int8, {}, 0, 0);
  const Feature y =
      m.op("QLinearMatMul", {q, in.scale, in.zero, w, w_scale, w_zero, to.scale, to.zero}, {x[0], x[1], out});
  return dequantise(m, y, to);
}

constexpr Block image[] = {
    {"qdq conv", qdq_conv},
    {"qdq depthwise conv", qdq_depthwise},
    {"ConvInteger", conv_integer},
    {"QLinearConv", qlinear_conv},
};
constexpr Block tokens[] = {
    {"dynamically quantised matmul", dynamic_matmul},
    {"qdq matmul", qdq_matmul},
    {"QLinearMatMul", qlinear_matmul},
};

}  // namespace

std::span<const Block> quantised_blocks() {
  return image;
}
std::span<const Block> quantised_token_blocks() {
  return tokens;
}

}  // namespace coppice::test
