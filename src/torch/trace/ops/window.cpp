#include "torch/trace/ops/rules.hpp"

namespace coppice::tracing {
namespace {

// Windows along the two last axes of an image.
struct Windows {
  Ints kernel, dilation, padding, stride;
  // How many fit along axis k of an image.
  std::int64_t count(std::size_t k, std::int64_t extent) const {
    return (extent + 2 * padding[k] - dilation[k] * (kernel[k] - 1) - 1) / stride[k] + 1;
  }
};

// Arguments from i on: kernel, dilation, padding, stride.
Windows windows_of(Site& site, std::size_t i) {
  return {spread(site.ints(i), 2), spread(site.ints(i + 1), 2), spread(site.ints(i + 2), 2),
          spread(site.ints(i + 3), 2)};
}

// Where element m of each window lies along a padded axis: [kernel, windows].
at::Tensor places(const Windows& windows, std::size_t k, std::int64_t count) {
  const at::TensorOptions whole(at::kLong);
  return (at::arange(windows.kernel[k], whole) * windows.dilation[k]).unsqueeze(1) +
         (at::arange(count, whole) * windows.stride[k]).unsqueeze(0);
}

// (x, kernel, dilation, padding, stride): [batch, channels, h, w] to [batch, channels * kernel, windows].
bool unfold(Site& site) {
  if (site.rank(0) != 4) return false;
  const Windows windows = windows_of(site, 1);
  const Ints shape = site.shape(0);
  const std::int64_t rows = windows.count(0, shape[2]), columns = windows.count(1, shape[3]);
  ValueId x = site.in(0);
  if (windows.padding != Ints{0, 0}) {
    const Ints& p = windows.padding;
    x = site.op(
        "Pad", {x, site.constant({0, 0, p[0], p[1], 0, 0, p[0], p[1]}, "pads"), site.scalar(0, site.dtype(0), "value")},
        {attr("mode", std::string("constant"))}, "padded");
  }
  x = site.op("Gather", {x, site.table(places(windows, 0, rows), "rows")}, {attr("axis", 2)}, "windows_of_rows");
  x = site.op("Gather", {x, site.table(places(windows, 1, columns), "columns")}, {attr("axis", 4)}, "windows");
  x = site.op("Transpose", {x}, {attr("perm", Ints{0, 1, 2, 4, 3, 5})}, "kernels");
  site.out(site.op("Reshape", {x, site.constant({0, -1, rows * columns}, "shape")}));
  return true;
}

// (x, extents, kernel, dilation, padding, stride): the sum of overlapping windows, as a transposed convolution makes it
// of one-hot kernels; every channel of every image is one of its own.
bool fold(Site& site) {
  if (site.rank(0) != 3) return false;
  const Ints extents = spread(site.ints(1), 2), shape = site.shape(0);
  const Windows windows = windows_of(site, 2);
  const Ints counts{windows.count(0, extents[0]), windows.count(1, extents[1])};
  const std::int64_t places = windows.kernel[0] * windows.kernel[1];
  Ints rest;  // behind the last window
  for (std::size_t k = 0; k < 2; ++k)
    rest.push_back(extents[k] + 2 * windows.padding[k] - windows.dilation[k] * (windows.kernel[k] - 1) - 1 -
                   (counts[k] - 1) * windows.stride[k]);
  const ValueId images =
      site.op("Reshape", {site.in(0), site.constant({-1, places, counts[0], counts[1]}, "images_shape")}, {}, "images");
  const at::Tensor kernels =
      at::eye(places, at::TensorOptions(site.dtype(0))).reshape({places, 1, windows.kernel[0], windows.kernel[1]});
  const ValueId sums =
      site.op("ConvTranspose", {images, site.table(kernels, "kernels")},
              {attr("dilations", windows.dilation), attr("kernel_shape", windows.kernel), attr("output_padding", rest),
               attr("pads", both_ends(windows.padding)), attr("strides", windows.stride)},
              "sums");
  site.out(site.op("Reshape", {sums, site.constant({shape[0], -1, extents[0], extents[1]}, "shape")}));
  return true;
}

}  // namespace

void add_window_rules(std::vector<RuleEntry>& rules) {
  rules.push_back({"im2col", unfold});
  rules.push_back({"col2im", fold});
}

}  // namespace coppice::tracing
