#pragma once
#include <cstdint>
#include <vector>

#include "torch/executor/kernel.hpp"

/// Sliding windows of convolutions and pools.
namespace coppice::executor {

struct Window {
  enum class Auto { none, valid, upper, lower };
  std::vector<std::int64_t> kernel, strides, dilations, begins, ends;  ///< One number a spatial axis.
  Auto automatic = Auto::none;
  bool ceil = false;

  /// Of a kernel with the holes that dilation makes.
  std::int64_t reach(std::size_t axis) const { return (kernel[axis] - 1) * dilations[axis] + 1; }
  /// What comes out along an axis. With `ceil`, a last window that would start in the padding behind the image is
  /// dropped.
  std::int64_t extent(std::size_t axis, std::int64_t in) const;
  /// Begins equal ends, and none crops.
  bool symmetric() const;
};

/// The node's attributes; lists that it does not have are empty.
Window read_window(const Build& build);
/// The window on a certain image: all lists complete, pads as auto_pad wants them. `kernel` stands in where the node
/// gives none.
Window fit(Window window, at::IntArrayRef image, at::IntArrayRef kernel);

/// The extents behind batch and channels.
inline at::IntArrayRef image_of(const at::Tensor& x) {
  return x.sizes().slice(2);
}
/// Surrounds the last axes; a negative number crops.
at::Tensor surround(const at::Tensor& x, const std::vector<std::int64_t>& begins, const std::vector<std::int64_t>& ends,
                    const at::Scalar& value);

}  // namespace coppice::executor
