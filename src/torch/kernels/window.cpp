#include "torch/kernels/window.hpp"

#include <algorithm>

#include "coppice/base/error.hpp"

namespace coppice::executor {
namespace {

Window::Auto read_auto_pad(const Build& build) {
  const std::string mode = build.text("auto_pad", "NOTSET");
  if (mode == "NOTSET" || mode.empty()) return Window::Auto::none;
  if (mode == "VALID") return Window::Auto::valid;
  if (mode == "SAME_UPPER") return Window::Auto::upper;
  if (mode == "SAME_LOWER") return Window::Auto::lower;
  throw Error("auto_pad: expected NOTSET, VALID, SAME_UPPER or SAME_LOWER, found " + mode);
}

void complete(std::vector<std::int64_t>& list, std::size_t count, std::int64_t value, const char* name) {
  if (list.empty()) list.assign(count, value);
  if (list.size() != count)
    throw Error(std::string(name) + ": expected " + std::to_string(count) + " numbers, found " +
                std::to_string(list.size()));
}

}  // namespace

Window read_window(const Build& build) {
  Window out;
  out.kernel = build.integers("kernel_shape");
  out.strides = build.integers("strides");
  out.dilations = build.integers("dilations");
  out.automatic = read_auto_pad(build);
  out.ceil = build.flag("ceil_mode");
  if (out.automatic != Window::Auto::none) return out;
  const std::vector<std::int64_t> pads = build.integers("pads");
  const auto half = pads.begin() + static_cast<std::ptrdiff_t>(pads.size() / 2);
  out.begins.assign(pads.begin(), half);
  out.ends.assign(half, pads.end());
  return out;
}

Window fit(Window window, at::IntArrayRef image, at::IntArrayRef kernel) {
  const std::size_t count = image.size();
  if (window.kernel.empty()) window.kernel = kernel.vec();
  complete(window.kernel, count, 1, "kernel_shape");
  complete(window.strides, count, 1, "strides");
  complete(window.dilations, count, 1, "dilations");
  complete(window.begins, count, 0, "pads");
  complete(window.ends, count, 0, "pads");
  if (window.automatic != Window::Auto::upper && window.automatic != Window::Auto::lower) return window;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t out = (image[i] + window.strides[i] - 1) / window.strides[i];
    const std::int64_t all = std::max<std::int64_t>(0, (out - 1) * window.strides[i] + window.reach(i) - image[i]);
    const std::int64_t less = all / 2, more = all - less;
    window.begins[i] = window.automatic == Window::Auto::upper ? less : more;
    window.ends[i] = window.automatic == Window::Auto::upper ? more : less;
  }
  return window;
}

std::int64_t Window::extent(std::size_t axis, std::int64_t in) const {
  const std::int64_t stride = strides[axis], room = in + begins[axis] + ends[axis] - reach(axis);
  if (room < 0) throw Error("expected an image as large as the window, found " + std::to_string(in));
  if (!ceil) return room / stride + 1;
  const std::int64_t out = (room + stride - 1) / stride + 1;
  return (out - 1) * stride >= in + begins[axis] ? out - 1 : out;
}

bool Window::symmetric() const {
  return begins == ends && std::all_of(begins.begin(), begins.end(), [](std::int64_t pad) { return pad >= 0; });
}

at::Tensor surround(const at::Tensor& x, const std::vector<std::int64_t>& begins, const std::vector<std::int64_t>& ends,
                    const at::Scalar& value) {
  const auto nothing = [](std::int64_t pad) { return pad == 0; };
  if (std::all_of(begins.begin(), begins.end(), nothing) && std::all_of(ends.begin(), ends.end(), nothing)) return x;
  std::vector<std::int64_t> pads;  // of the last axis first
  for (std::size_t i = begins.size(); i-- > 0;) {
    pads.push_back(begins[i]);
    pads.push_back(ends[i]);
  }
  return at::constant_pad_nd(x, pads, value);
}

}  // namespace coppice::executor
