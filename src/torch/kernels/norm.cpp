#include "coppice/base/error.hpp"

#include "torch/kernels/kernels.hpp"

namespace coppice::executor {
namespace {

using at::Tensor;

Kernel instance_norm(const Build& build) {
  return [epsilon = build.real("epsilon", 1e-5)](Call& call) {
    call.out(0, at::instance_norm(call.in(0), call.in(1), call.in(2), {}, {}, true, 0, epsilon, true));
  };
}

// Before operator set 21 there is one scale for each group.
Kernel group_norm(const Build& build) {
  const std::int64_t groups = build.integer("num_groups", 1);
  return [groups, each = build.opset() < 21, epsilon = build.real("epsilon", 1e-5)](Call& call) {
    const Tensor& x = call.in(0);
    Tensor scale = call.in(1), bias = call.in(2);
    if (each && scale.size(0) != x.size(1)) {
      scale = at::repeat_interleave(scale, x.size(1) / groups);
      bias = at::repeat_interleave(bias, x.size(1) / groups);
    }
    call.out(0, at::group_norm(x, groups, scale, bias, epsilon, true));
  };
}

Kernel local_response_norm(const Build& build) {
  const std::int64_t size = build.integer("size", 1);
  const double alpha = build.real("alpha", 1e-4), beta = build.real("beta", 0.75), bias = build.real("bias", 1);
  return [=](Call& call) {
    const Tensor& x = call.in(0);
    // Mean of the squares of `size` channels, as a pool over (channels, all else).
    const Tensor squares = (x * x).reshape({x.size(0), 1, x.size(1), -1});
    const Tensor padded = at::constant_pad_nd(squares, {0, 0, (size - 1) / 2, size / 2}, 0);
    const Tensor mean = at::avg_pool2d(padded, {size, 1}, {1, 1}).reshape(x.sizes());
    call.out(0, x / at::pow(mean * alpha + bias, beta));
  };
}

Kernel lp_norm(const Build& build) {
  const std::int64_t axis = build.integer("axis", -1), p = build.integer("p", 2);
  return [=](Call& call) {
    const Tensor& x = call.in(0);
    const Tensor norm = at::norm(x, p, std::vector<std::int64_t>{axis}, true);
    call.out(0, x / at::where(norm == 0, at::ones_like(norm), norm));
  };
}

Kernel mean_variance_norm(const Build& build) {
  std::vector<std::int64_t> axes{0, 2, 3};
  if (build.node().has("axes")) axes = build.integers("axes");
  return [axes](Call& call) {
    const Tensor& x = call.in(0);
    const auto [var, mean] = at::var_mean(x, axes, /*unbiased=*/false, /*keepdim=*/true);
    call.out(0, (x - mean) / (at::sqrt(var) + 1e-9));
  };
}

}  // namespace

void add_norm_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "GroupNormalization", group_norm});
  entries.push_back({"", "InstanceNormalization", instance_norm});
  entries.push_back({"", "LRN", local_response_norm});
  entries.push_back({"", "LpNormalization", lp_norm});
  entries.push_back({"", "MeanVarianceNormalization", mean_variance_norm});
}

}  // namespace coppice::executor
