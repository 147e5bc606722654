#include "torch/kernels/pooling.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <tuple>

#include "coppice/base/error.hpp"

namespace coppice::executor {
namespace {

using at::Tensor;
using Numbers = std::vector<std::int64_t>;

[[noreturn]] void fail_rank(std::size_t axes) {
  throw Error("expected one to three spatial axes, found " + std::to_string(axes));
}

// libtorch's own pools take no padding that is larger than half the kernel.
bool is_plain(const Window& window) {
  if (!window.symmetric()) return false;
  for (std::size_t i = 0; i < window.kernel.size(); ++i)
    if (2 * window.begins[i] > window.kernel[i]) return false;
  return true;
}

// Padding behind the image so that the windows just fit in.
Numbers exact_ends(const Window& window, at::IntArrayRef image) {
  Numbers out;
  for (std::size_t i = 0; i < image.size(); ++i) {
    const std::int64_t last = (window.extent(i, image[i]) - 1) * window.strides[i];
    out.push_back(last + window.reach(i) - image[i] - window.begins[i]);
  }
  return out;
}

Tensor max_values(const Tensor& x, const Window& w, const Numbers& pads, bool ceil) {
  switch (w.kernel.size()) {
    case 1:
      return at::max_pool1d(x, w.kernel, w.strides, pads, w.dilations, ceil);
    case 2:
      return at::max_pool2d(x, w.kernel, w.strides, pads, w.dilations, ceil);
    case 3:
      return at::max_pool3d(x, w.kernel, w.strides, pads, w.dilations, ceil);
    default:
      fail_rank(w.kernel.size());
  }
}

std::tuple<Tensor, Tensor> max_indices(const Tensor& x, const Window& w, const Numbers& pads, bool ceil) {
  switch (w.kernel.size()) {
    case 1:
      return at::max_pool1d_with_indices(x, w.kernel, w.strides, pads, w.dilations, ceil);
    case 2:
      return at::max_pool2d_with_indices(x, w.kernel, w.strides, pads, w.dilations, ceil);
    case 3:
      return at::max_pool3d_with_indices(x, w.kernel, w.strides, pads, w.dilations, ceil);
    default:
      fail_rank(w.kernel.size());
  }
}

// Indices within images of extents `from` that begin `begins` before those of extents `to`, through the whole tensor.
Tensor renumber(Tensor index, at::IntArrayRef from, at::IntArrayRef to, const Numbers& begins, bool columns) {
  Tensor out = at::zeros_like(index);
  for (std::size_t i = from.size(); i-- > 0;) {
    std::int64_t step = 1;
    for (std::size_t k = 0; k < to.size(); ++k)
      if (columns ? k < i : k > i) step *= to[k];
    out = out + (at::remainder(index, from[i]) - begins[i]) * step;
    index = at::div(index, from[i], "floor");
  }
  Numbers shape(static_cast<std::size_t>(out.dim()), 1);
  std::copy_n(out.sizes().begin(), 2, shape.begin());
  return out + at::arange(shape[0] * shape[1], out.options()).reshape(shape) * c10::multiply_integers(to);
}

MaxPooled pool_real(const Tensor& x, const Window& window, bool indices, bool columns) {
  const bool plain = is_plain(window);
  const Numbers none(window.kernel.size(), 0), pads = plain ? window.begins : none;
  const Tensor padded =
      plain ? x : surround(x, window.begins, exact_ends(window, image_of(x)), -std::numeric_limits<double>::infinity());
  const bool ceil = plain && window.ceil;
  if (!indices) return {max_values(padded, window, pads, ceil), {}};
  const auto [values, inner] = max_indices(padded, window, pads, ceil);
  return {values, renumber(inner, image_of(padded), image_of(x), plain ? none : window.begins, columns)};
}

Tensor average_plain(const Tensor& x, const Window& w, bool whole) {
  switch (w.kernel.size()) {
    case 1:
      return at::avg_pool1d(x, w.kernel, w.strides, w.begins, w.ceil, whole);
    case 2:
      return at::avg_pool2d(x, w.kernel, w.strides, w.begins, w.ceil, whole);
    case 3:
      return at::avg_pool3d(x, w.kernel, w.strides, w.begins, w.ceil, whole);
    default:
      fail_rank(w.kernel.size());
  }
}

}  // namespace

MaxPooled pool_max(const Tensor& x, const Window& shape, bool indices, bool columns) {
  const Window window = fit(shape, image_of(x), {});
  if (x.is_floating_point()) return pool_real(x, window, indices, columns);
  MaxPooled out = pool_real(x.to(at::kDouble), window, indices, columns);
  out.values = out.values.to(x.scalar_type());
  return out;
}

Tensor pool_sum(const Tensor& x, const Window& window) {
  const std::size_t axes = window.kernel.size();
  if (axes < 1 || axes > 3) fail_rank(axes);
  const Tensor padded = surround(x, window.begins, exact_ends(window, image_of(x)), 0);
  // As a convolution of each channel by itself.
  Numbers kernel{1, 1};
  kernel.insert(kernel.end(), window.kernel.begin(), window.kernel.end());
  const Numbers none(axes, 0);
  const Tensor y = at::convolution(padded.flatten(0, 1).unsqueeze(1), at::ones(kernel, x.options()), {}, window.strides,
                                   none, window.dilations, false, none, 1);
  Numbers out = y.sizes().slice(2).vec();
  out.insert(out.begin(), {x.size(0), x.size(1)});
  return y.reshape(out);
}

Tensor pool_average(const Tensor& x, const Window& shape, bool whole) {
  Window window = fit(shape, image_of(x), {});
  const bool dilated =
      std::any_of(window.dilations.begin(), window.dilations.end(), [](std::int64_t d) { return d != 1; });
  if (is_plain(window) && !dilated) return average_plain(x, window, whole);
  Numbers extents{1, 1};
  extents.insert(extents.end(), image_of(x).begin(), image_of(x).end());
  Tensor ones = at::ones(extents, x.options().requires_grad(false));
  const Tensor sums = pool_sum(x, window);
  if (!whole) return sums / pool_sum(ones, window).clamp_min(1);
  // The same windows on an image that is as large as the padded one.
  ones = surround(ones, window.begins, window.ends, 1);
  for (std::size_t i = 0; i < window.kernel.size(); ++i) {
    window.ends[i] = (sums.size(static_cast<std::int64_t>(i) + 2) - 1) * window.strides[i] + window.reach(i) -
                     ones.size(static_cast<std::int64_t>(i) + 2);
    window.begins[i] = 0;
  }
  window.ceil = false;
  return sums / pool_sum(ones, window);
}

}  // namespace coppice::executor
