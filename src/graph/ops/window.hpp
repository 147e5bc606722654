#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "coppice/graph/infer.hpp"

/// Sliding windows of convolutions and pools: attributes and extents.
namespace coppice::graph::ops {

enum class AutoPad { notset, valid, same };

/// Attributes of a window, one entry per spatial axis, checked: kernels, strides and dilations are at least 1 (a kernel
/// extent may be unknown, -1).
struct Window {
  std::vector<std::int64_t> kernel, strides, dilations, begin, end;
  AutoPad auto_pad = AutoPad::notset;
  bool ceil = false;

  std::size_t rank() const { return kernel.size(); }
};

/// Reads the window attributes of a node with `spatial` spatial axes. `weight_kernel` are the extents of the weight's
/// kernel axes, if the operator has a weight: they must agree with kernel_shape, and stand in for it where it is
/// absent. Throws Error when an attribute has a wrong length or value.
Window read_window(const Node& node, std::size_t spatial, std::span<const std::int64_t> weight_kernel);

/// Extent of a convolution's or pool's output along spatial axis `axis`. With ceil_mode a last window that would start
/// in the padding behind the image is dropped. Throws Error when the padded image is smaller than the window.
std::int64_t window_extent(const Window& window, std::size_t axis, std::int64_t in);

/// Extent of a transposed convolution's output: stride * (in - 1) + output_padding + window - pads.
std::int64_t transposed_extent(const Window& window, std::size_t axis, std::int64_t in, std::int64_t output_padding);

/// Window attributes that list one number per spatial axis; `fallback` for each when absent.
std::vector<std::int64_t> per_axis(const Node& node, std::string_view name, std::size_t count, std::int64_t fallback,
                                   std::int64_t lowest);

}  // namespace coppice::graph::ops
