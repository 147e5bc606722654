#include <algorithm>

#include "support/random/blocks.hpp"

namespace coppice::test {
namespace {

Feature residual(Maker& m, const Feature& x) {
  const std::int64_t out = m.chance(0.6) ? x[1] : m.width();
  Feature y = m.activation(m.batch_norm(m.conv(x, m.width(), {.bias = false})));
  y = m.batch_norm(m.conv(y, out, {.bias = false}));
  const Feature shortcut = out == x[1] ? x : m.conv(x, out, {.kernel = 1});
  const Feature sum = m.chance(0.5) ? m.map("Add", y, {shortcut}) : m.map("Add", shortcut, {y});
  return m.activation(sum);
}

Feature inverted(Maker& m, const Feature& x) {
  const std::int64_t wide = 2 * x[1];
  Feature y = m.activation(m.batch_norm(m.conv(x, wide, {.kernel = 1, .bias = false})));
  y = m.activation(m.batch_norm(m.conv(y, wide, {.group = wide, .bias = false})));
  y = m.conv(y, x[1], {.kernel = 1});
  return m.map("Add", x, {y});
}

Feature dense(Maker& m, const Feature& x) {
  const Feature one = m.conv(m.activation(m.batch_norm(x)), 8, {});
  const Feature both = m.concat({x, one}, 1);
  const Feature two = m.conv(m.activation(m.batch_norm(both)), 4, {});
  return m.concat({both, two}, 1);
}

Feature inception(Maker& m, const Feature& x) {
  std::vector<Feature> parts;
  parts.push_back(m.activation(m.conv(x, 8, {.kernel = 1})));
  parts.push_back(m.activation(m.conv(x, 4, {})));
  const Feature pool = m.op("MaxPool", {x}, x.shape,
                            {ints("kernel_shape", {3, 3}), ints("pads", {1, 1, 1, 1}), ints("strides", {1, 1})});
  parts.push_back(m.conv(pool, 4, {.kernel = 1}));
  if (m.chance(0.5)) std::swap(parts[0], parts[2]);
  return m.concat(parts, 1);
}

// The old ResNet shortcut: the stream is padded with zero channels when it widens.
Feature padded_shortcut(Maker& m, const Feature& x) {
  const std::int64_t more = m.one_of({4, 8}), before = m.chance(0.5) ? more / 2 : 0;
  Shape wide = x.shape;
  wide[1] += more;
  const ValueId pads = m.builder.ints({0, before, 0, 0, 0, more - before, 0, 0});
  const Feature shortcut = m.op("Pad", {x, pads}, wide, {text("mode", "constant")});
  const Feature y = m.conv(m.activation(m.conv(x, m.width(), {})), wide[1], {});
  return m.activation(m.map("Add", y, {shortcut}));
}

// Several branches are summed at once, one of them the input.
Feature sum_of_many(Maker& m, const Feature& x) {
  const Feature a = m.conv(x, x[1], {.kernel = 1});
  const Feature b = m.conv(m.activation(a), x[1], {});
  return m.op(m.chance(0.7) ? "Sum" : "Max", {x, a, b}, x.shape);
}

Feature product(Maker& m, const Feature& x) {
  const std::int64_t out = m.width();
  const Feature a = m.conv(x, out, {.kernel = 1});
  const Feature b = m.map("Tanh", m.conv(x, out, {}));
  return m.map("Mul", a, {b});
}

Feature difference(Maker& m, const Feature& x) {
  const Feature a = m.conv(x, x[1], {.kernel = 1});
  const Feature y = m.map("Sub", a, {x});
  return m.map("Div", y, {m.map("Add", m.map("Abs", x), {m.scalar(1)})});
}

// One convolution is used twice: its weights are truly shared.
Feature shared_conv(Maker& m, const Feature& x) {
  const std::int64_t out = x[1];
  const ValueId w = m.weight({out, x[1], 3, 3}, 9 * x[1]);
  const ValueId b = m.bias({out});
  const std::vector<Attribute> how{ints("kernel_shape", {3, 3}), ints("pads", {1, 1, 1, 1})};
  const Feature once = m.activation(m.op("Conv", {x, w, b}, x.shape, how));
  return m.op("Conv", {once, w, b}, x.shape, how);
}

bool narrow(const Feature& x) {
  return x[1] <= 32;
}

constexpr Block blocks[] = {
    {"residual", residual},           {"inverted residual", inverted, narrow},      {"dense", dense, narrow},
    {"inception", inception},         {"padded shortcut", padded_shortcut, narrow}, {"sum of many", sum_of_many},
    {"product of branches", product}, {"difference and quotient", difference},      {"shared convolution", shared_conv},
};

}  // namespace

std::span<const Block> branch_blocks() {
  return blocks;
}

}  // namespace coppice::test
