#include "support/random/blocks.hpp"

namespace coppice::test {
namespace {

Feature depth_to_space(Maker& m, const Feature& x) {
  const std::int64_t out = m.width();
  const Feature y = m.conv(x, 4 * out, {.kernel = 1});
  return m.op("DepthToSpace", {y}, {x[0], out, 2 * x[2], 2 * x[3]},
              {graph::attr("blocksize", 2), text("mode", m.chance(0.5) ? "DCR" : "CRD")});
}

Feature space_to_depth(Maker& m, const Feature& x) {
  const Feature y = m.conv(x, 8, {.kernel = 1});
  const Feature z = m.op("SpaceToDepth", {y}, {x[0], 32, x[2] / 2, x[3] / 2}, {graph::attr("blocksize", 2)});
  return m.conv(z, m.width(), {.kernel = 1});
}

// Pixel shuffle written out: reshape, transpose, reshape.
Feature pixel_shuffle(Maker& m, const Feature& x) {
  const std::int64_t out = m.width();
  Feature y = m.conv(x, 4 * out, {.kernel = 1});
  y = m.reshape(y, {x[0], out, 2, 2, x[2], x[3]});
  y = m.transpose(y, {0, 1, 4, 2, 5, 3});
  return m.reshape(y, {x[0], out, 2 * x[2], 2 * x[3]});
}

Feature resize_by_scale(Maker& m, const Feature& x) {
  const ValueId by = m.constant("scales", {1, 1, 2, 2});
  const Feature y =
      m.op("Resize", {x, graph::no_value, by}, {x[0], x[1], 2 * x[2], 2 * x[3]},
           {text("mode", m.chance(0.5) ? "nearest" : "linear"), text("coordinate_transformation_mode", "asymmetric")});
  return m.conv(y, m.width(), {.stride = 2});
}

// A decoder's step: sizes from the skip's shape, then both are joined.
Feature resize_to_skip(Maker& m, const Feature& x) {
  const Feature low = m.activation(m.conv(x, m.width(), {.stride = 2}));
  const ValueId shape_of_x = m.builder.op("Shape", {x});
  const ValueId size =
      m.builder.op("Slice", {shape_of_x, m.builder.ints({2}), m.builder.ints({4}), m.builder.ints({0})});
  const ValueId shape_of_low = m.builder.op("Shape", {low});
  const ValueId front =
      m.builder.op("Slice", {shape_of_low, m.builder.ints({0}), m.builder.ints({2}), m.builder.ints({0})});
  const ValueId sizes = m.builder.op("Concat", {front, size}, {graph::attr("axis", 0)});
  const Feature up = m.op("Resize", {low, graph::no_value, graph::no_value, sizes}, {x[0], low[1], x[2], x[3]},
                          {text("mode", "nearest")});
  return m.activation(m.conv(m.concat({x, up}, 1), m.width(), {}));
}

// ConvNeXt: channels last, an MLP, channels first again.
Feature channels_last(Maker& m, const Feature& x) {
  Feature y = m.transpose(x, {0, 2, 3, 1});
  y = m.linear(m.activation(m.linear(y, m.width())), x[1]);
  if (m.chance(0.5)) y = m.map("Mul", y, {m.values("layer_scale", {x[1]}, 1)});
  y = m.transpose(y, {0, 3, 1, 2});
  return m.map("Add", x, {y});
}

// MLP-Mixer: a matrix over the flattened pixels.
Feature pixel_mixer(Maker& m, const Feature& x) {
  const std::int64_t pixels = x[2] * x[3];
  const Feature flat = m.reshape(x, {x[0], x[1], pixels});
  const Feature y = m.linear(m.activation(m.linear(flat, 8)), pixels);
  return m.map("Add", x, {m.reshape(y, x.shape)});
}

Feature squeeze_round_trip(Maker& m, const Feature& x) {
  const Feature y = m.activation(m.squeeze(m.unsqueeze(x, {2}), {2}));
  return m.conv(y, m.width(), {.kernel = 1});
}

// A per-pixel table is stretched over all channels, or a per-channel one over all pixels.
Feature expanded_parameter(Maker& m, const Feature& x) {
  const Feature y = m.conv(x, m.width(), {.kernel = 1});
  const bool per_channel = m.chance(0.6);
  const Shape small = per_channel ? Shape{1, y[1], 1, 1} : Shape{1, 1, y[2], y[3]};
  const ValueId parameter = m.values("parameter", small, 1);
  const ValueId shape_of_y = m.builder.op("Shape", {y});
  const ValueId wide = m.builder.op("Expand", {parameter, shape_of_y});
  return m.map("Add", y, {wide});
}

Feature tiled_pool(Maker& m, const Feature& x) {
  const Feature pool = m.op("GlobalAveragePool", {x}, {x[0], x[1], 1, 1});
  const Feature y = m.conv(pool, x[1], {.kernel = 1});
  const Feature wide = m.op("Tile", {y, m.builder.ints({1, 1, x[2], x[3]})}, x.shape);
  return m.concat({x, wide}, 1);
}

Feature padded_image(Maker& m, const Feature& x) {
  Shape shape{x[0], x[1], x[2] + 2, x[3] + 2};
  const Feature y = m.op("Pad", {x, m.builder.ints({0, 0, 1, 1, 0, 0, 1, 1})}, shape,
                         {text("mode", m.chance(0.5) ? "reflect" : "constant")});
  const std::int64_t out = m.width();
  const ValueId w = m.weight({out, x[1], 3, 3}, 9 * x[1]);
  return m.op("Conv", {y, w, m.bias({out})}, {x[0], out, x[2], x[3]}, {ints("kernel_shape", {3, 3})});
}

bool small(const Feature& x) {
  return x[2] <= 8;
}
bool large(const Feature& x) {
  return x[2] >= 8;
}
bool narrow(const Feature& x) {
  return x[1] <= 24;
}

constexpr Block blocks[] = {
    {"depth to space", depth_to_space, small},
    {"space to depth", space_to_depth, large},
    {"pixel shuffle by reshape", pixel_shuffle, small},
    {"resize by scale", resize_by_scale},
    {"resize to skip", resize_to_skip, large},
    {"channels last", channels_last},
    {"pixel mixer", pixel_mixer},
    {"squeeze round trip", squeeze_round_trip},
    {"expanded parameter", expanded_parameter},
    {"tiled pool", tiled_pool, narrow},
    {"padded image", padded_image},
};

}  // namespace

std::span<const Block> spatial_blocks() {
  return blocks;
}

}  // namespace coppice::test
