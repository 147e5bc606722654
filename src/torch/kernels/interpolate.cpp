#include <algorithm>
#include <cmath>

#include "coppice/base/error.hpp"

#include "torch/kernels/resize.hpp"

namespace coppice::executor {
namespace {

using at::Tensor;

// Where element i of the result lies on the operand's axis.
template <class Real>
Real source(const Line& line, std::int64_t element, const std::string& mode) {
  const auto i = static_cast<Real>(element), in = static_cast<Real>(line.in), out = static_cast<Real>(line.out);
  const auto scale = static_cast<Real>(line.scale), half = static_cast<Real>(0.5);
  if (mode == "asymmetric") return i / scale;
  if (mode == "half_pixel") return (i + half) / scale - half;
  if (mode == "half_pixel_symmetric") {
    // The image stays centred where its extent was rounded.
    const Real centre = in / 2, offset = centre * (1 - out / (scale * in));
    return offset + (i + half) / scale - half;
  }
  if (mode == "pytorch_half_pixel") return line.out > 1 ? (i + half) / scale - half : 0;
  // ONNX's tests take the extent before it is rounded.
  if (mode == "align_corners") return line.out > 1 ? i * (in - 1) / (scale * in - 1) : 0;
  if (mode == "tf_half_pixel_for_nn") return (i + half) / scale;
  if (mode == "tf_crop_and_resize") {
    const auto start = static_cast<Real>(line.start), end = static_cast<Real>(line.end);
    return line.out > 1 ? start * (in - 1) + i * (end - start) * (in - 1) / (out - 1) : half * (start + end) * (in - 1);
  }
  throw Error("coordinate_transformation_mode: found " + mode);
}

double nearest(double x, const std::string& mode) {
  if (mode == "floor") return std::floor(x);
  if (mode == "ceil") return std::ceil(x);
  if (mode == "round_prefer_ceil") return std::floor(x + 0.5);
  if (mode == "round_prefer_floor") return std::ceil(x - 0.5);
  throw Error("nearest_mode: found " + mode);
}

// In 32-bit floats, as runtimes compute it: where a border between two elements is met exactly, or nearly, the rounding
// decides which of them it is.
std::int64_t nearest_element(const Line& line, std::int64_t i, const Interpolation& how) {
  // Before operator set 11 nothing names the rounding; runtimes round up where an axis shrinks.
  const std::string mode = !how.nearest.empty() ? how.nearest : line.scale < 1 ? "ceil" : "floor";
  const double at = nearest(static_cast<double>(source<float>(line, i, how.coordinates)), mode);
  return static_cast<std::int64_t>(std::clamp(at, 0.0, static_cast<double>(line.in - 1)));
}

// Weight of an element at a distance.
double weight(const Interpolation& how, double distance) {
  const double t = std::abs(distance), a = how.cubic;
  if (how.mode == Interpolation::Mode::linear) return std::max(0.0, 1 - t);
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? ((a * t - 5 * a) * t + 8 * a) * t - 4 * a : 0;
}

// Elements and weights that make up each element of the result: `taps` of them, one after another.
struct Taps {
  std::int64_t count = 1;
  std::vector<std::int64_t> elements;
  std::vector<double> weights;
};

Taps taps_of(const Line& line, const Interpolation& how) {
  // Where an image shrinks, antialiasing stretches the weights over all that an element of the result covers.
  const double stretch = how.antialias ? std::max(1.0, 1 / line.scale) : 1;
  const double radius = (how.mode == Interpolation::Mode::linear ? 1 : 2) * stretch;
  Taps out;
  out.count = 2 * static_cast<std::int64_t>(std::ceil(radius));
  for (std::int64_t i = 0; i < line.out; ++i) {
    const double at = source<double>(line, i, how.coordinates);
    const auto first = static_cast<std::int64_t>(std::floor(at)) - out.count / 2 + 1;
    double sum = 0;
    for (std::int64_t k = first; k < first + out.count; ++k) {
      const bool inside = k >= 0 && k < line.in;
      const double share = inside || !how.exclude ? weight(how, (at - static_cast<double>(k)) / stretch) : 0;
      out.elements.push_back(std::clamp<std::int64_t>(k, 0, line.in - 1));
      out.weights.push_back(share);
      sum += share;
    }
    for (std::size_t k = out.weights.size() - static_cast<std::size_t>(out.count); k < out.weights.size(); ++k)
      out.weights[k] /= sum;
  }
  return out;
}

// Along the axis, 1 where the result lies outside of the operand.
Tensor outside(const Line& line, const Tensor& like, at::IntArrayRef shape) {
  Tensor out = at::zeros({line.out}, at::kBool);
  for (std::int64_t i = 0; i < line.out; ++i) {
    const double at = source<double>(line, i, "tf_crop_and_resize");
    if (at < 0 || at > static_cast<double>(line.in - 1)) out[i] = true;
  }
  return out.to(like.device()).reshape(shape);
}

}  // namespace

Tensor interpolate(const Tensor& x, std::int64_t axis, const Line& line, const Interpolation& how) {
  const bool crops = how.coordinates == "tf_crop_and_resize";
  if (!crops && line.in == line.out && line.scale == 1) return x;
  std::vector<std::int64_t> along(static_cast<std::size_t>(x.dim()), 1);
  along[static_cast<std::size_t>(axis)] = line.out;
  Tensor y;
  if (how.mode == Interpolation::Mode::nearest) {
    std::vector<std::int64_t> elements;
    for (std::int64_t i = 0; i < line.out; ++i) elements.push_back(nearest_element(line, i, how));
    y = at::index_select(x, axis, at::tensor(elements, at::kLong).to(x.device()));
  } else {
    const Taps taps = taps_of(line, how);
    const Tensor elements = at::tensor(taps.elements, at::kLong).reshape({line.out, taps.count}).to(x.device());
    const Tensor weights =
        at::tensor(taps.weights, at::kDouble).reshape({line.out, taps.count}).to(x.device(), x.scalar_type());
    for (std::int64_t k = 0; k < taps.count; ++k) {
      const Tensor part =
          at::index_select(x, axis, elements.select(1, k).contiguous()) * weights.select(1, k).reshape(along);
      y = y.defined() ? y + part : part;
    }
  }
  return crops ? at::where(outside(line, x, along), at::full({}, how.outside, x.options().requires_grad(false)), y) : y;
}

}  // namespace coppice::executor
