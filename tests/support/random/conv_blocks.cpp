#include "support/random/blocks.hpp"

namespace coppice::test {
namespace {

Feature plain(Maker& m, const Feature& x) {
  ConvShape how{.kernel = m.one_of({1, 3})};
  if (how.kernel == 3) how.dilation = m.one_of({1, 1, 2});
  how.bias = m.chance(0.7);
  Feature y = m.conv(x, m.width(), how);
  if (m.chance(0.5)) y = m.batch_norm(y);
  return m.activation(y);
}

Feature grouped(Maker& m, const Feature& x) {
  const Feature y = m.conv(x, m.width(), {.kernel = m.one_of({1, 3}), .group = m.one_of({2, 4})});
  return m.activation(y);
}

Feature separable(Maker& m, const Feature& x) {
  Feature y = m.conv(x, x[1], {.group = x[1], .bias = m.chance(0.5)});
  y = m.activation(m.batch_norm(y));
  return m.conv(y, m.width(), {.kernel = 1});
}

// Each input channel of a depthwise convolution makes two outputs.
Feature multiplier(Maker& m, const Feature& x) {
  const Feature y = m.conv(x, 2 * x[1], {.group = x[1]});
  return m.conv(m.activation(y), m.width(), {.kernel = 1});
}

Feature strided(Maker& m, const Feature& x) {
  return m.activation(m.conv(x, m.width(), {.stride = 2}));
}

Feature transposed(Maker& m, const Feature& x) {
  const std::int64_t group = m.one_of({1, 1, 2, 4}), out = m.width();
  std::vector<ValueId> inputs{x, m.weight({x[1], out / group, 2, 2}, x[1] / group)};
  if (m.chance(0.7)) inputs.push_back(m.bias({out}));
  const Feature y =
      m.op("ConvTranspose", inputs, {x[0], out, 2 * x[2], 2 * x[3]},
           {ints("kernel_shape", {2, 2}), ints("strides", {2, 2}), graph::attr("group", graph::AttributeValue(group))});
  return m.activation(y);
}

Feature depthwise_transposed(Maker& m, const Feature& x) {
  const ValueId w = m.weight({x[1], 1, 2, 2}, 1);
  const Feature y =
      m.op("ConvTranspose", {x, w}, {x[0], x[1], 2 * x[2], 2 * x[3]},
           {ints("kernel_shape", {2, 2}), ints("strides", {2, 2}), graph::attr("group", graph::AttributeValue(x[1]))});
  return m.conv(y, m.width(), {.kernel = 1, .stride = 2});
}

Feature flat_conv(Maker& m, const Feature& x) {
  Feature y = m.reshape(x, {x[0], x[1], x[2] * x[3]});
  const std::int64_t out = m.width();
  y = m.activation(m.conv(y, out, {}));
  return m.reshape(y, {x[0], out, x[2], x[3]});
}

Feature pooled(Maker& m, const Feature& x) {
  const Feature y = m.op(m.chance(0.5) ? "MaxPool" : "AveragePool", {x}, x.shape,
                         {ints("kernel_shape", {3, 3}), ints("pads", {1, 1, 1, 1}), ints("strides", {1, 1})});
  return m.conv(y, m.width(), {.kernel = 1});
}

Feature preactivated(Maker& m, const Feature& x) {
  const Feature y = m.activation(m.batch_norm(x));
  return m.conv(y, m.width(), {});
}

bool large(const Feature& x) {
  return x[2] >= 8;
}
bool small(const Feature& x) {
  return x[2] <= 8;
}

constexpr Block blocks[] = {
    {"conv", plain},
    {"grouped conv", grouped},
    {"depthwise separable", separable},
    {"depthwise multiplier", multiplier},
    {"strided conv", strided, large},
    {"transposed conv", transposed, small},
    {"depthwise transposed conv", depthwise_transposed},
    {"conv over flattened pixels", flat_conv},
    {"pool and conv", pooled},
    {"pre-activation", preactivated},
};

}  // namespace

std::span<const Block> conv_blocks() {
  return blocks;
}

}  // namespace coppice::test
