#include <algorithm>
#include <numeric>

#include "support/random/blocks.hpp"

namespace coppice::test {
namespace {

Feature shuffle(Maker& m, const Feature& x) {
  const std::int64_t groups = m.one_of({2, 4});
  Feature y = m.conv(x, x[1], {.kernel = 1, .group = groups});
  const Shape flat = y.shape;
  y = m.reshape(y, {x[0], groups, x[1] / groups, x[2], x[3]});
  y = m.transpose(y, {0, 2, 1, 3, 4});
  y = m.reshape(y, flat);
  return m.chance(0.5) ? m.conv(y, m.width(), {.kernel = 1, .group = groups}) : m.conv(y, m.width(), {.kernel = 1});
}

// ShuffleNet V2: half passes, half is worked on, then both halves are interleaved.
Feature half_and_half(Maker& m, const Feature& x) {
  const std::int64_t half = x[1] / 2;
  const std::vector<Feature> parts = m.split(x, 1, {half, half});
  const Feature worked = m.activation(m.conv(parts[1], half, {}));
  const Feature both = m.concat({parts[0], worked}, 1);
  if (m.chance(0.4)) return both;
  const Feature y = m.transpose(m.reshape(both, {x[0], 2, half, x[2], x[3]}), {0, 2, 1, 3, 4});
  return m.reshape(y, x.shape);
}

Feature uneven_split(Maker& m, const Feature& x) {
  const std::int64_t first = 4 * m.pick(1, x[1] / 4 - 1);
  const std::vector<Feature> parts = m.split(x, 1, {first, x[1] - first});
  const Feature worked = m.conv(parts[0], m.width(), {.kernel = 1});
  return m.concat({parts[1], m.activation(worked)}, 1);
}

Feature slices(Maker& m, const Feature& x) {
  const std::int64_t from = m.pick(0, 2), to = x[1] - m.pick(0, 2);
  const Feature middle = m.slice(x, 1, from, to);
  const Feature y = m.conv(middle, x[1], {});
  return m.map("Add", y, {x});
}

Feature reversed_slice(Maker& m, const Feature& x) {
  const Feature y =
      m.op("Slice", {x, m.builder.ints({-1}), m.builder.ints({INT64_MIN}), m.builder.ints({1}), m.builder.ints({-1})},
           x.shape);
  return m.conv(m.map("Add", y, {x}), m.width(), {.kernel = 1});
}

Feature gather(Maker& m, const Feature& x) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(x[1]));
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = order.size(); i-- > 1;)
    std::swap(order[i], order[static_cast<std::size_t>(m.pick(0, static_cast<std::int64_t>(i)))]);
  order.resize(order.size() - static_cast<std::size_t>(m.pick(0, 3)));
  if (m.chance(0.3)) order.push_back(order[0]);
  if (m.chance(0.3)) order[1] -= x[1];
  Shape shape = x.shape;
  shape[1] = static_cast<std::int64_t>(order.size());
  const Feature y = m.op("Gather", {x, m.builder.ints(order)}, shape, {graph::attr("axis", 1)});
  return m.conv(y, m.width(), {.kernel = 1});
}

Feature doubled(Maker& m, const Feature& x) {
  const Feature y = m.activation(m.conv(x, 8, {}));
  return m.concat({y, y}, 1);
}

// Focus: the image is cut in four and stacked along channels.
Feature focus(Maker& m, const Feature& x) {
  const Feature y = m.conv(x, 8, {.kernel = 1});
  std::vector<Feature> parts;
  for (std::int64_t i = 0; i < 4; ++i) {
    Shape shape{y[0], y[1], y[2] / 2, y[3] / 2};
    parts.push_back(m.op("Slice",
                         {y, m.builder.ints({i / 2, i % 2}), m.builder.ints({y[2], y[3]}), m.builder.ints({2, 3}),
                          m.builder.ints({2, 2})},
                         shape));
  }
  return m.conv(m.concat(parts, 1), m.width(), {.kernel = 1});
}

// maxout: the larger of two channels, as a reduction over a factored axis.
Feature maxout(Maker& m, const Feature& x) {
  const std::int64_t out = m.width();
  Feature y = m.conv(x, 2 * out, {.kernel = 1});
  y = m.reshape(y, m.chance(0.5) ? Shape{x[0], out, 2, x[2], x[3]} : Shape{x[0], 2, out, x[2], x[3]});
  return m.reduce("ReduceMax", y, {y[1] == 2 ? 1 : 2}, false);
}

Feature tiled_channels(Maker& m, const Feature& x) {
  const Feature y = m.conv(x, 8, {.kernel = 1});
  Shape shape = y.shape;
  shape[1] *= 2;
  return m.op("Tile", {y, m.builder.ints({1, 2, 1, 1})}, shape);
}

bool roomy(const Feature& x) {
  return x[1] >= 8 && x[1] <= 48;
}
bool even_image(const Feature& x) {
  return x[2] >= 8 && x[2] % 4 == 0;
}

constexpr Block blocks[] = {
    {"channel shuffle", shuffle},
    {"half and half", half_and_half, roomy},
    {"uneven split", uneven_split, roomy},
    {"slices", slices, roomy},
    {"reversed slice", reversed_slice},
    {"gather channels", gather, roomy},
    {"cat of one value twice", doubled},
    {"focus", focus, even_image},
    {"maxout", maxout},
    {"tiled channels", tiled_channels},
};

}  // namespace

std::span<const Block> channel_blocks() {
  return blocks;
}

}  // namespace coppice::test
