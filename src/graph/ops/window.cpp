#include "graph/ops/window.hpp"

#include <limits>
#include <string>

#include "graph/ops/helpers.hpp"

namespace coppice::graph::ops {
namespace {

// Wide enough for sums and products of any two extents of a hostile file.
__extension__ using Wide = __int128;

std::int64_t narrow(Wide value) {
  if (value < 0 || value > std::numeric_limits<std::int64_t>::max()) fail("output extent is out of range");
  return static_cast<std::int64_t>(value);
}

Wide reach(const Window& window, std::size_t axis) {
  return Wide{window.kernel[axis] - 1} * window.dilations[axis] + 1;
}

AutoPad read_auto_pad(const Node& node) {
  const std::string mode = node.string_or("auto_pad", "NOTSET");
  if (mode == "NOTSET" || mode.empty()) return AutoPad::notset;
  if (mode == "VALID") return AutoPad::valid;
  if (mode == "SAME_UPPER" || mode == "SAME_LOWER") return AutoPad::same;
  fail("auto_pad: expected NOTSET, VALID, SAME_UPPER or SAME_LOWER, found " + mode);
}

}  // namespace

std::vector<std::int64_t> per_axis(const Node& node, std::string_view name, std::size_t count, std::int64_t fallback,
                                   std::int64_t lowest) {
  const auto given = node.ints(name);
  if (given.empty()) return std::vector<std::int64_t>(count, fallback);
  if (given.size() != count)
    fail(std::string(name) + ": expected " + std::to_string(count) + " numbers, found " + std::to_string(given.size()));
  for (std::int64_t value : given)
    if (value < lowest)
      fail(std::string(name) + ": expected at least " + std::to_string(lowest) + ", found " + std::to_string(value));
  return {given.begin(), given.end()};
}

Window read_window(const Node& node, std::size_t spatial, std::span<const std::int64_t> weight_kernel) {
  Window out;
  out.kernel = per_axis(node, "kernel_shape", spatial, unknown, 1);
  for (std::size_t i = 0; i < weight_kernel.size() && i < spatial; ++i)
    out.kernel[i] = dim_same(out.kernel[i], weight_kernel[i], "kernel extent");
  out.strides = per_axis(node, "strides", spatial, 1, 1);
  out.dilations = per_axis(node, "dilations", spatial, 1, 1);
  out.auto_pad = read_auto_pad(node);
  out.ceil = node.int_or("ceil_mode", 0) != 0;
  if (out.auto_pad == AutoPad::notset) {
    const auto pads = per_axis(node, "pads", 2 * spatial, 0, std::numeric_limits<std::int64_t>::min());
    out.begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(spatial));
    out.end.assign(pads.begin() + static_cast<std::ptrdiff_t>(spatial), pads.end());
  } else {
    out.begin.assign(spatial, 0);
    out.end.assign(spatial, 0);
  }
  return out;
}

std::int64_t window_extent(const Window& window, std::size_t axis, std::int64_t in) {
  if (in < 0) return unknown;
  const Wide stride = window.strides[axis];
  if (window.auto_pad == AutoPad::same) return narrow((Wide{in} + stride - 1) / stride);
  if (window.kernel[axis] < 0) return unknown;
  const Wide padded = Wide{in} + window.begin[axis] + window.end[axis];
  const Wide room = padded - reach(window, axis);
  if (room < 0)
    fail("window of " + std::to_string(narrow(reach(window, axis))) + " on spatial axis " + std::to_string(axis) +
         ": expected a padded extent of at least that, found " + std::to_string(static_cast<std::int64_t>(padded)));
  if (!window.ceil) return narrow(room / stride + 1);
  Wide out = (room + stride - 1) / stride + 1;
  if ((out - 1) * stride >= Wide{in} + window.begin[axis]) --out;
  return narrow(out);
}

std::int64_t transposed_extent(const Window& window, std::size_t axis, std::int64_t in, std::int64_t output_padding) {
  if (in < 0) return unknown;
  if (window.auto_pad == AutoPad::same) return narrow(Wide{in} * window.strides[axis]);
  if (window.kernel[axis] < 0) return unknown;
  return narrow(Wide{in - 1} * window.strides[axis] + output_padding + reach(window, axis) - window.begin[axis] -
                window.end[axis]);
}

}  // namespace coppice::graph::ops
