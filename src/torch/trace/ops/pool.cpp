#include "torch/trace/ops/rules.hpp"

namespace coppice::tracing {
namespace {

Ints last_extents(const Ints& shape, std::size_t count) {
  return {shape.end() - static_cast<std::ptrdiff_t>(count), shape.end()};
}

// ONNX pools what has a batch and a channel axis; libtorch takes it without a batch too.
ValueId pool(Site& site, std::string_view op, std::size_t spatial, std::vector<Attribute> attributes) {
  const bool batched = static_cast<std::size_t>(site.rank(0)) == spatial + 2;
  if (batched) return site.op(op, {site.in(0)}, std::move(attributes));
  const ValueId raised = site.op("Unsqueeze", {site.in(0), site.constant({0}, "axes")}, {}, "batch");
  const ValueId pooled = site.op(op, {raised}, std::move(attributes));
  return site.op("Squeeze", {pooled, site.constant({0}, "axes")}, {}, "single");
}

// (x, kernel, stride, padding, dilation, ceil_mode)
template <std::size_t kSpatial>
bool max_pool(Site& site) {
  if (site.results() > 1 && site.wanted(1)) return false;  // positions: ONNX counts them over the whole tensor
  const Ints kernel = spread(site.ints(1), kSpatial);
  const Ints strides = site.ints(2).empty() ? kernel : spread(site.ints(2), kSpatial);
  site.out(pool(site, "MaxPool", kSpatial,
                {attr("ceil_mode", site.integer(5)), attr("dilations", spread(site.ints(4), kSpatial)),
                 attr("kernel_shape", kernel), attr("pads", both_ends(spread(site.ints(3), kSpatial))),
                 attr("strides", strides)}));
  return true;
}

// (x, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override)
template <std::size_t kSpatial>
bool average_pool(Site& site) {
  const Ints kernel = spread(site.ints(1), kSpatial);
  const Ints strides = site.ints(2).empty() ? kernel : spread(site.ints(2), kSpatial);
  ValueId out = pool(
      site, "AveragePool", kSpatial,
      {attr("ceil_mode", site.integer(4)), attr("count_include_pad", site.integer(5)), attr("kernel_shape", kernel),
       attr("pads", both_ends(spread(site.ints(3), kSpatial))), attr("strides", strides)});
  if (site.has(6)) {
    // The divisor is the kernel's size where every place of a window counts.
    if (!site.flag(5) || site.flag(4)) return false;
    double size = 1;
    for (const std::int64_t extent : kernel) size *= static_cast<double>(extent);
    const double factor = size / static_cast<double>(site.integer(6));
    out = site.op("Mul", {out, site.scalar(factor, site.dtype(0), "factor")}, {}, "rescaled");
  }
  site.out(out);
  return true;
}

// Windows of equal size, where the output's extents divide the input's.
bool adaptive(Site& site, std::string_view global, std::string_view windowed, std::size_t spatial) {
  if (site.results() > 1 && site.wanted(1)) return false;
  const Ints in = last_extents(site.shape(0), spatial), out = last_extents(site.out_shape(), spatial);
  if (out == Ints(spatial, 1)) {
    site.out(pool(site, global, spatial, {}));
    return true;
  }
  Ints kernel;
  for (std::size_t k = 0; k < spatial; ++k) {
    if (out[k] == 0 || in[k] % out[k] != 0) return false;
    kernel.push_back(in[k] / out[k]);
  }
  site.out(pool(site, windowed, spatial, {attr("kernel_shape", kernel), attr("strides", kernel)}));
  return true;
}

template <std::size_t kSpatial>
bool adaptive_average(Site& site) {
  return adaptive(site, "GlobalAveragePool", "AveragePool", kSpatial);
}

template <std::size_t kSpatial>
bool adaptive_max(Site& site) {
  return adaptive(site, "GlobalMaxPool", "MaxPool", kSpatial);
}

}  // namespace

void add_pool_rules(std::vector<RuleEntry>& rules) {
  rules.push_back({"max_pool1d", max_pool<1>});
  rules.push_back({"max_pool2d", max_pool<2>});
  rules.push_back({"max_pool3d", max_pool<3>});
  rules.push_back({"max_pool1d_with_indices", max_pool<1>});
  rules.push_back({"max_pool2d_with_indices", max_pool<2>});
  rules.push_back({"max_pool3d_with_indices", max_pool<3>});
  rules.push_back({"avg_pool1d", average_pool<1>});
  rules.push_back({"avg_pool2d", average_pool<2>});
  rules.push_back({"avg_pool3d", average_pool<3>});
  rules.push_back({"adaptive_avg_pool1d", adaptive_average<1>});
  rules.push_back({"adaptive_avg_pool2d", adaptive_average<2>});
  rules.push_back({"adaptive_avg_pool3d", adaptive_average<3>});
  rules.push_back({"adaptive_max_pool1d", adaptive_max<1>});
  rules.push_back({"adaptive_max_pool2d", adaptive_max<2>});
  rules.push_back({"adaptive_max_pool3d", adaptive_max<3>});
}

}  // namespace coppice::tracing
