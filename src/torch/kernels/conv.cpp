#include <algorithm>

#include "torch/kernels/activation.hpp"
#include "torch/kernels/convolve.hpp"
#include "torch/kernels/kernels.hpp"

namespace coppice::executor {

at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const Window& shape,
                    std::int64_t groups) {
  const Window window = fit(shape, image_of(x), image_of(weight));
  const std::vector<std::int64_t> none(window.strides.size(), 0);
  if (window.symmetric())
    return at::convolution(x, weight, bias, window.strides, window.begins, window.dilations, false, none, groups);
  return at::convolution(surround(x, window.begins, window.ends, 0), weight, bias, window.strides, none,
                         window.dilations, false, none, groups);
}

at::Tensor convolve_integers(const at::Tensor& x, const at::Tensor& weight, const Window& shape, std::int64_t groups) {
  return convolve(x.to(at::kDouble), weight.to(at::kDouble), {}, shape, groups).to(at::kLong);
}

at::Tensor along_channels(const at::Tensor& list, std::int64_t rank) {
  if (list.numel() == 1) return list.reshape({});
  std::vector<std::int64_t> shape(static_cast<std::size_t>(rank), 1);
  shape[rank > 1 ? 1 : 0] = list.numel();
  return list.reshape(shape);
}

namespace {

Kernel conv(const Build& build) {
  return [window = read_window(build), groups = build.integer("group", 1)](Call& call) {
    call.out(0, convolve(call.in(0), call.in(1), call.maybe(2), window, groups));
  };
}

// Something may be added before the activation.
Kernel fused_conv(const Build& build) {
  Activation activation = find_activation(build.text("activation", ""));
  const std::vector<double> numbers = build.reals("activation_params");
  if (!numbers.empty()) activation.alpha = numbers[0];
  if (numbers.size() > 1) activation.beta = numbers[1];
  return [activation, window = read_window(build), groups = build.integer("group", 1)](Call& call) {
    const at::Tensor y = convolve(call.in(0), call.in(1), call.maybe(2), window, groups);
    call.out(0, activation(call.has(3) ? y + call.in(3) : y));
  };
}

Kernel conv_integer(const Build& build) {
  return [window = read_window(build), groups = build.integer("group", 1)](Call& call) {
    at::Tensor x = call.in(0).to(at::kLong), weight = call.in(1).to(at::kLong);
    if (call.has(2)) x = x - call.in(2).to(at::kLong);
    if (call.has(3)) {
      const at::Tensor zero = call.in(3).to(at::kLong);
      std::vector<std::int64_t> rows(static_cast<std::size_t>(weight.dim()), 1);
      rows[0] = zero.numel();
      weight = weight - zero.reshape(rows);
    }
    call.out(0, convolve_integers(x, weight, window, groups).to(at::kInt));
  };
}

struct Transposed {
  Window window;
  std::vector<std::int64_t> padding, shape;  ///< output_padding and output_shape.
  std::int64_t groups = 1;
};

// Pads from the extents that auto_pad or output_shape asks for.
Window fit_transposed(const Transposed& conv, const std::vector<std::int64_t>& padding, const at::Tensor& x,
                      const at::Tensor& weight) {
  const at::IntArrayRef image = image_of(x);
  const Window::Auto automatic = conv.window.automatic;
  const bool same = automatic == Window::Auto::upper || automatic == Window::Auto::lower;
  Window window = conv.window;
  window.automatic = Window::Auto::none;
  window = fit(std::move(window), image, image_of(weight));
  if (conv.shape.empty() && !same) return window;
  for (std::size_t i = 0; i < image.size(); ++i) {
    // output_shape may list batch and channels too.
    const std::int64_t wanted =
        conv.shape.empty() ? image[i] * window.strides[i] : conv.shape[conv.shape.size() - image.size() + i];
    const std::int64_t whole = (image[i] - 1) * window.strides[i] + padding[i] + window.reach(i);
    const std::int64_t all = std::max<std::int64_t>(0, whole - wanted);
    window.begins[i] = automatic == Window::Auto::upper ? all / 2 : all - all / 2;
    window.ends[i] = whole - wanted - window.begins[i];
  }
  return window;
}

Kernel conv_transpose(const Build& build) {
  const Transposed conv{read_window(build), build.integers("output_padding"), build.integers("output_shape"),
                        build.integer("group", 1)};
  return [conv](Call& call) {
    const at::Tensor &x = call.in(0), &weight = call.in(1), bias = call.maybe(2);
    std::vector<std::int64_t> padding = conv.padding;
    if (padding.empty()) padding.assign(image_of(x).size(), 0);
    const Window window = fit_transposed(conv, padding, x, weight);
    bool direct = window.symmetric();
    for (std::size_t i = 0; i < padding.size(); ++i)
      direct = direct && padding[i] < std::max(window.strides[i], window.dilations[i]);
    if (direct)
      return call.out(0, at::convolution(x, weight, bias, window.strides, window.begins, window.dilations, true,
                                         padding, conv.groups));
    // The whole result without padding, cropped or extended, and then the bias everywhere.
    const std::vector<std::int64_t> none(padding.size(), 0);
    const at::Tensor whole =
        at::convolution(x, weight, {}, window.strides, none, window.dilations, true, none, conv.groups);
    std::vector<std::int64_t> begins, ends;
    for (std::size_t i = 0; i < padding.size(); ++i) {
      begins.push_back(-window.begins[i]);
      ends.push_back(padding[i] - window.ends[i]);
    }
    const at::Tensor y = surround(whole, begins, ends, 0);
    call.out(0, bias.defined() ? y + along_channels(bias, y.dim()) : y);
  };
}

}  // namespace

void add_conv_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "Conv", conv});
  entries.push_back({"", "ConvInteger", conv_integer});
  entries.push_back({"", "ConvTranspose", conv_transpose});
  entries.push_back({"com.microsoft", "FusedConv", fused_conv});
}

}  // namespace coppice::executor
