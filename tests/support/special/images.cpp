#include "support/special_graphs.hpp"

namespace coppice::test {
namespace {

Feature stem(Maker& m, std::int64_t channels) {
  const Feature x = m.input("image", {1, 3, 8, 8});
  return m.map("Relu", m.conv(x, channels));
}

void head(Maker& m, const Feature& x) {
  m.output(m.linear(m.reduce("ReduceMean", x, {2, 3}, false), 5), "logits");
}

// ShuffleNet: two grouped convolutions with the groups interleaved between them.
void channel_shuffle(Maker& m) {
  Feature x = m.conv(stem(m, 16), 16, {.kernel = 1, .group = 4});
  x = m.reshape(m.transpose(m.reshape(x, {1, 4, 4, 8, 8}), {0, 2, 1, 3, 4}), {1, 16, 8, 8});
  head(m, m.map("Relu", m.conv(x, 16, {.kernel = 1, .group = 4})));
}

Feature unit_instance_norm(Maker& m, const Feature& x, std::int64_t groups) {
  const ValueId one = m.constant("unit", std::vector<float>(static_cast<std::size_t>(groups), 1.0f));
  const ValueId zero = m.constant("nil", std::vector<float>(static_cast<std::size_t>(groups), 0.0f));
  return m.map("InstanceNormalization", x, {one, zero});
}

// torch.nn.GroupNorm as its exporter writes it before opset 18.
void group_norm_by_reshape(Maker& m) {
  const Feature x = m.conv(stem(m, 12), 16);
  const ValueId folded = m.builder.ints({0, 4, -1});
  const Feature flat = m.op("Reshape", {x, folded}, {1, 4, 4 * 64});
  const Feature normal = m.op("Reshape", {unit_instance_norm(m, flat, 4), m.builder.op("Shape", {x})}, x.shape);
  const Feature scaled = m.map("Mul", normal, {m.positive("gamma", {16, 1, 1})});
  head(m, m.conv(m.map("Relu", m.map("Add", scaled, {m.values("beta", {16, 1, 1}, 0.3)})), 8));
}

void group_normalization(Maker& m) {
  const Feature x = m.conv(stem(m, 12), 16);
  std::vector<ValueId> parameters{m.positive("gamma", {16})};
  parameters.push_back(m.values("beta", {16}, 0.3));
  const Feature y = m.map("GroupNormalization", x, parameters, {graph::attr("num_groups", 4), real("epsilon", 1e-5f)});
  head(m, m.conv(m.map("Relu", y), 8));
}

// Selective kernels: a softmax over stacked branches weighs them per channel.
void sknet_gate(Maker& m) {
  const Feature x = stem(m, 12);
  const Feature a = m.map("Relu", m.batch_norm(m.conv(x, 16)));
  const Feature b = m.map("Relu", m.batch_norm(m.conv(x, 16, {.dilation = 2})));
  const Feature stack = m.concat({m.unsqueeze(a, {1}), m.unsqueeze(b, {1})}, 1);  // [1, 2, 16, 8, 8]
  const Feature pooled = m.reduce("ReduceMean", m.reduce("ReduceSum", stack, {1}, false), {2, 3}, true);
  const Feature squeezed = m.map("Relu", m.conv(pooled, 8, {.kernel = 1}));
  Feature gate = m.reshape(m.conv(squeezed, 32, {.kernel = 1}), {1, 2, 16, 1, 1});
  gate = m.map("Softmax", gate, {}, {graph::attr("axis", 1)});
  const Feature y = m.reduce("ReduceSum", m.map("Mul", stack, {gate}), {1}, false);
  head(m, m.conv(y, 8));
}

// ResNeSt: radix 2, cardinality 2; rSoftMax by reshape and transpose.
void resnest_gate(Maker& m) {
  const std::int64_t radix = 2, cardinality = 2, channels = 16;
  const Feature x = stem(m, 16);
  const Feature y = m.map("Relu", m.conv(x, radix * channels, {.group = radix * cardinality}));
  const Feature apart = m.reshape(y, {1, radix, channels, 8, 8});
  const Feature pooled = m.reduce("ReduceMean", m.reduce("ReduceSum", apart, {1}, false), {2, 3}, true);
  const Feature squeezed = m.map("Relu", m.conv(pooled, 8, {.kernel = 1, .group = cardinality}));
  Feature gate = m.conv(squeezed, radix * channels, {.kernel = 1, .group = cardinality});
  gate = m.reshape(gate, {1, cardinality, radix, channels / cardinality});
  gate = m.map("Softmax", m.transpose(gate, {0, 2, 1, 3}), {}, {graph::attr("axis", 1)});
  gate = m.reshape(gate, {1, radix, channels, 1, 1});
  head(m, m.conv(m.reduce("ReduceSum", m.map("Mul", apart, {gate}), {1}, false), 8));
}

// torch.nn.functional.normalize along channels.
void l2_normalise(Maker& m) {
  const Feature x = m.conv(stem(m, 12), 16);
  const Feature norm = m.reduce("ReduceL2", x, {1}, true);
  const Feature safe = m.op("Clip", {norm, m.scalar(1e-12f)}, norm.shape);
  const Feature wide = m.op("Expand", {safe, m.builder.op("Shape", {x})}, x.shape);
  head(m, m.conv(m.map("Div", x, {wide}), 8));
}

void depth_to_space(Maker& m) {
  const Feature x = m.conv(stem(m, 12), 32);
  const Feature y = m.op("DepthToSpace", {x}, {1, 8, 16, 16}, {graph::attr("blocksize", 2), text("mode", "DCR")});
  const Feature z = m.conv(y, 32);
  head(m, m.conv(m.op("DepthToSpace", {z}, {1, 8, 32, 32}, {graph::attr("blocksize", 2), text("mode", "CRD")}), 8));
}

void cat_x_x(Maker& m) {
  const Feature x = stem(m, 12);
  head(m, m.conv(m.concat({x, x}, 1), 8));
}

// ResNet's option A: the shortcut skips pixels and is padded with zero channels on both sides.
void padded_shortcut(Maker& m) {
  const Feature x = stem(m, 8);
  const Feature y = m.conv(m.map("Relu", m.conv(x, 12, {.stride = 2})), 16);
  const Feature half = m.op("Slice",
                            {x, m.builder.ints({0, 0}), m.builder.ints({INT64_MAX, INT64_MAX}), m.builder.ints({2, 3}),
                             m.builder.ints({2, 2})},
                            {1, 8, 4, 4});
  const Feature wide = m.op("Pad", {half, m.builder.ints({0, 4, 0, 0, 0, 4, 0, 0})}, y.shape);
  head(m, m.conv(m.map("Relu", m.map("Add", y, {wide})), 8));
}

// Paddle's exporter writes every weight as a Constant node.
void constant_weights(Maker& m) {
  const auto constant = [&](ValueId initializer) {
    graph::Graph& graph = m.builder.graph();
    const Tensor tensor = *graph.constant(initializer);
    return m.builder.op("Constant", {}, {graph::attr("value", graph::AttributeValue(tensor))});
  };
  const Feature x = m.input("image", {1, 3, 8, 8});
  const auto conv = [&](const Feature& from, std::int64_t out) {
    const ValueId w = constant(m.weight({out, from[1], 3, 3}, 9 * from[1]));
    const ValueId b = constant(m.bias({out}));
    return m.op("Conv", {from, w, b}, {1, out, 8, 8}, {ints("pads", {1, 1, 1, 1})});
  };
  head(m, conv(m.map("Relu", conv(m.map("Relu", conv(x, 12)), 16)), 8));
}

constexpr SpecialGraph graphs[] = {
    {"channel_shuffle", channel_shuffle},
    {"group_norm_by_reshape", group_norm_by_reshape},
    {"group_normalization", group_normalization, 21},
    {"sknet_gate", sknet_gate},
    {"resnest_gate", resnest_gate},
    {"l2_normalise", l2_normalise},
    {"depth_to_space", depth_to_space},
    {"cat_x_x", cat_x_x},
    {"padded_shortcut", padded_shortcut},
    {"constant_weights", constant_weights},
};

}  // namespace

std::span<const SpecialGraph> special_images() {
  return graphs;
}

}  // namespace coppice::test
