#include "support/special_graphs.hpp"

namespace coppice::test {
namespace {

void head(Maker& m, const Feature& x) {
  m.output(m.linear(m.reduce("ReduceMean", x, {2, 3}, false), 5), "logits");
}

struct Range {
  ValueId scale, zero;
};

Feature fake(Maker& m, const Feature& x, Range range) {
  return m.map("DequantizeLinear", m.map("QuantizeLinear", x, {range.scale, range.zero}), {range.scale, range.zero});
}

// Weights in int8 with a scale per channel, activations in uint8 per tensor.
void qdq_conv(Maker& m) {
  const Range range{m.scalar(1.0f / 32), m.whole("zero", DType::uint8, {}, 128, 128)};
  const auto conv = [&](const Feature& x, std::int64_t out) {
    const double scale = Maker::gain(9 * x[1]) / 73;
    const ValueId w = m.whole("qweight", DType::int8, {out, x[1], 3, 3}, -127, 127);
    const ValueId scales = m.values("wscale", {out}, 0.1 * scale, scale);
    const ValueId zeros = m.whole("wzero", DType::int8, {out}, 0, 0);
    const ValueId real_weight = m.builder.op("DequantizeLinear", {w, scales, zeros}, {graph::attr("axis", 0)});
    const ValueId b = m.bias({out});
    return m.op("Conv", {x, real_weight, b}, {1, out, 8, 8}, {ints("pads", {1, 1, 1, 1})});
  };
  const Feature x = fake(m, m.input("image", {1, 3, 8, 8}), range);
  const Feature y = fake(m, m.map("Relu", conv(x, 12)), range);
  head(m, conv(fake(m, m.map("Relu", conv(y, 16)), range), 8));
}

void conv_integer(Maker& m) {
  const Range range{m.scalar(1.0f / 32), m.whole("zero", DType::uint8, {}, 131, 131)};
  const auto conv = [&](const Feature& x, std::int64_t out) {
    const Feature q = m.map("QuantizeLinear", x, {range.scale, range.zero});
    const ValueId w = m.whole("qweight", DType::uint8, {out, x[1], 3, 3}, 0, 255);
    const ValueId zero = m.whole("wzero", DType::uint8, {}, 127, 127);
    const Feature sum = m.op("ConvInteger", {q, w, range.zero, zero}, {1, out, 8, 8}, {ints("pads", {1, 1, 1, 1})});
    const Feature real_sum = m.map("Cast", sum, {}, {graph::attr("to", 1)});
    const Feature y = m.map("Mul", real_sum, {m.scalar(static_cast<float>(Maker::gain(9 * x[1]) / 73 / 32))});
    return m.map("Relu", m.map("Add", y, {m.bias({1, out, 1, 1})}));
  };
  head(m, conv(conv(conv(m.input("image", {1, 3, 8, 8}), 12), 16), 8));
}

// Scales and sums in whole numbers from end to end.
void qlinear_conv(Maker& m) {
  const Range range{m.scalar(1.0f / 32), m.whole("zero", DType::uint8, {}, 120, 120)};
  const auto conv = [&](const Feature& q, std::int64_t out) {
    const double scale = Maker::gain(9 * q[1]) / 73;
    const ValueId w = m.whole("qweight", DType::int8, {out, q[1], 3, 3}, -127, 127);
    const ValueId scales = m.values("wscale", {out}, 0.1 * scale, scale);
    const ValueId zeros = m.whole("wzero", DType::int8, {out}, 0, 0);
    const ValueId b = m.whole("qbias", DType::int32, {out}, -2000, 2000);
    return m.op("QLinearConv", {q, range.scale, range.zero, w, scales, zeros, range.scale, range.zero, b},
                {1, out, 8, 8}, {ints("pads", {1, 1, 1, 1})});
  };
  const Feature q = m.map("QuantizeLinear", m.input("image", {1, 3, 8, 8}), {range.scale, range.zero});
  const Feature y = conv(conv(conv(q, 12), 16), 8);
  head(m, m.map("DequantizeLinear", y, {range.scale, range.zero}));
}

void dynamic_matmul(Maker& m) {
  const auto dense = [&](const Feature& x, std::int64_t out) {
    const std::vector<ValueId> q = m.builder.op_multi("DynamicQuantizeLinear", {x}, 3);
    const ValueId w = m.whole("qweight", DType::int8, {x[1], out}, -127, 127);
    const Feature sum = m.op("MatMulInteger", {q[0], w, q[2]}, {x[0], out});
    const ValueId scale = m.builder.op("Mul", {q[1], m.scalar(static_cast<float>(Maker::gain(x[1]) / 73))});
    return m.map("Mul", m.map("Cast", sum, {}, {graph::attr("to", 1)}), {scale});
  };
  const Feature x = m.input("features", {4, 10});
  m.output(dense(m.map("Relu", dense(m.map("Relu", dense(x, 16)), 12)), 5), "logits");
}

constexpr SpecialGraph graphs[] = {
    {"qdq_conv", qdq_conv, 17, true},
    {"conv_integer", conv_integer, 17, true},
    {"qlinear_conv", qlinear_conv, 17, true},
    {"dynamic_quantised_matmul", dynamic_matmul, 17, true},
};

}  // namespace

std::span<const SpecialGraph> special_quantised() {
  return graphs;
}

}  // namespace coppice::test
