#include "torch/kernels/resize.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "coppice/base/error.hpp"

#include "torch/kernels/kernels.hpp"

namespace coppice::executor {
namespace {

using at::Tensor;
using Reals = std::vector<double>;
using Numbers = std::vector<std::int64_t>;

struct Resize {
  Interpolation how;
  Numbers axes;                                  ///< Empty: all.
  std::string policy;                            ///< keep_aspect_ratio_policy.
  std::size_t roi = 99, scales = 1, sizes = 99;  ///< Operands; beyond the last one: none.
};

Reals numbers(const Tensor& list) {
  const Tensor wide = list.to(at::kCPU, at::kDouble).contiguous();
  return {wide.data_ptr<double>(), wide.data_ptr<double>() + wide.numel()};
}

// Sizes are computed in 32-bit floats, as runtimes do it, so that 0.3f * 10 gives the extent that the model has.
std::int64_t scaled(std::int64_t in, double scale) {
  return static_cast<std::int64_t>(std::floor(static_cast<float>(in) * static_cast<float>(scale)));
}

// Extents and scales of the resized axes. Sizes that keep the aspect ratio share one scale.
void apply_sizes(const Numbers& sizes, const std::string& policy, const Tensor& x, const Numbers& axes, Numbers& outs,
                 Reals& scales) {
  if (sizes.size() != axes.size()) throw Error("sizes: expected one number a resized axis");
  for (std::size_t i = 0; i < axes.size(); ++i)
    scales.push_back(static_cast<double>(sizes[i]) / static_cast<double>(x.size(axes[i])));
  outs = sizes;
  if (policy == "stretch") return;
  const auto [least, most] = std::minmax_element(scales.begin(), scales.end());
  const double scale = policy == "not_smaller" ? *most : *least;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    scales[i] = scale;
    outs[i] = static_cast<std::int64_t>(std::round(scale * static_cast<double>(x.size(axes[i]))));
  }
}

// A whole factor that libtorch, which multiplies by the reciprocal as a 32-bit float, does not round below an element.
bool is_whole_factor(double scale) {
  return scale >= 1 && scale == std::floor(scale) && static_cast<double>(static_cast<float>(1 / scale)) * scale >= 1;
}

// libtorch's own functions where they compute the same: images in their last two axes.
bool resize_image(const Tensor& x, const Numbers& outs, const Reals& scales, const Interpolation& how, Tensor& y) {
  const bool image = x.dim() == 4 && outs.size() == 4 && outs[0] == x.size(0) && outs[1] == x.size(1);
  if (!image || !x.is_floating_point() || how.antialias) return false;
  if (how.mode == Interpolation::Mode::nearest) {
    bool whole = (how.nearest == "floor" || how.nearest.empty()) && how.coordinates == "asymmetric";
    for (std::size_t k = 2; k < 4; ++k) whole = whole && is_whole_factor(scales[k]);
    if (whole) y = at::upsample_nearest2d(x, {outs[2], outs[3]}, c10::nullopt, c10::nullopt);
    return whole;
  }
  const bool half = how.coordinates == "half_pixel";
  for (std::size_t k = 2; k < 4 && !half; ++k) {
    const double exact = scales[k] * static_cast<double>(x.size(static_cast<std::int64_t>(k)));
    if (std::abs(exact - static_cast<double>(outs[k])) > 1e-6) return false;
  }
  if (how.mode != Interpolation::Mode::linear || (!half && how.coordinates != "align_corners")) return false;
  y = at::upsample_bilinear2d(x, {outs[2], outs[3]}, !half, scales[2], scales[3]);
  return true;
}

Tensor run(const Tensor& x, const Resize& resize, const Numbers& axes, const Numbers& outs, const Reals& scales,
           const Reals& roi) {
  Tensor y = x;
  if (resize_image(x, outs, scales, resize.how, y)) return y;
  const bool crops = resize.how.coordinates == "tf_crop_and_resize";
  const bool nearest = resize.how.mode == Interpolation::Mode::nearest;
  if (!nearest && !x.is_floating_point()) y = y.to(at::kFloat);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    Line line{x.size(axes[i]), outs[i], scales[i]};
    if (crops) {
      if (roi.size() != 2 * axes.size()) throw Error("roi: expected two numbers a resized axis");
      line.start = roi[i];
      line.end = roi[axes.size() + i];
    }
    y = interpolate(y, axes[i], line, resize.how);
  }
  if (y.scalar_type() == x.scalar_type()) return y;
  return at::round(y).to(x.scalar_type());
}

Kernel resize_kernel(Resize resize, Reals fixed) {
  return [resize = std::move(resize), fixed = std::move(fixed)](Call& call) {
    const Tensor& x = call.in(0);
    Numbers axes = resize.axes;
    for (std::int64_t& axis : axes) axis = axis < 0 ? axis + x.dim() : axis;
    if (axes.empty()) {
      axes.resize(static_cast<std::size_t>(x.dim()));
      std::iota(axes.begin(), axes.end(), 0);
    }
    Reals scales = fixed;
    Numbers outs;
    if (call.has(resize.sizes) && call.in(resize.sizes).numel() > 0) {
      apply_sizes(call.ints(resize.sizes), resize.policy, x, axes, outs, scales);
    } else {
      if (scales.empty()) scales = numbers(call.in(resize.scales));
      if (scales.size() != axes.size()) throw Error("scales: expected one number a resized axis");
      for (std::size_t i = 0; i < axes.size(); ++i) outs.push_back(scaled(x.size(axes[i]), scales[i]));
    }
    call.out(0, run(x, resize, axes, outs, scales, call.has(resize.roi) ? numbers(call.in(resize.roi)) : Reals()));
  };
}

Interpolation::Mode mode_of(const std::string& name) {
  if (name == "nearest") return Interpolation::Mode::nearest;
  if (name == "linear" || name == "bilinear" || name == "trilinear") return Interpolation::Mode::linear;
  if (name == "cubic") return Interpolation::Mode::cubic;
  throw Error("mode: expected nearest, linear or cubic, found " + name);
}

Kernel resize(const Build& build) {
  Resize out;
  out.how.mode = mode_of(build.text("mode", "nearest"));
  out.axes = build.integers("axes");
  if (build.opset() >= 11) {
    out.how.coordinates = build.text("coordinate_transformation_mode", "half_pixel");
    out.how.nearest = build.text("nearest_mode", "round_prefer_floor");
    out.how.cubic = build.real("cubic_coeff_a", -0.75);
    out.how.outside = build.real("extrapolation_value", 0);
    out.how.exclude = build.flag("exclude_outside");
    out.how.antialias = build.flag("antialias");
    out.policy = build.text("keep_aspect_ratio_policy", "stretch");
    out.roi = 1;
    out.scales = 2;
    out.sizes = 3;
  }
  return resize_kernel(std::move(out), {});
}

// Scales are an operand, an attribute, or (the first operator set) an attribute for each axis of the image.
Kernel upsample(const Build& build) {
  Resize out;
  out.how.mode = mode_of(build.text("mode", "nearest"));
  Reals scales = build.reals("scales");
  if (scales.empty() && !build.has_input(1))
    scales = {1, 1, build.real("height_scale", 1), build.real("width_scale", 1)};
  return resize_kernel(std::move(out), std::move(scales));
}

}  // namespace

void add_resize_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "Resize", resize});
  entries.push_back({"", "Upsample", upsample});
}

}  // namespace coppice::executor
