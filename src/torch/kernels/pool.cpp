#include <cmath>
#include <limits>
#include <tuple>

#include "coppice/base/error.hpp"

#include "torch/kernels/kernels.hpp"
#include "torch/kernels/pooling.hpp"

namespace coppice::executor {
namespace {

// The p of LpPool is a whole number, but a real one in the first operator set.
double exponent(const Build& build) {
  const graph::Attribute* p = build.node().find("p");
  return p && std::holds_alternative<float>(p->value) ? build.real("p", 2) : static_cast<double>(build.integer("p", 2));
}

at::Tensor power(const at::Tensor& x, double p) {
  if (p == 1) return at::abs(x);
  return p == 2 ? x * x : at::pow(at::abs(x), p);
}

at::Tensor root(const at::Tensor& x, double p) {
  if (p == 1) return x;
  return p == 2 ? at::sqrt(x) : at::pow(x, 1 / p);
}

Kernel average_pool(const Build& build) {
  return [window = read_window(build), whole = build.flag("count_include_pad")](Call& call) {
    call.out(0, pool_average(call.in(0), window, whole));
  };
}

Kernel lp_pool(const Build& build) {
  return [window = read_window(build), p = exponent(build)](Call& call) {
    const at::Tensor& x = call.in(0);
    call.out(0, root(pool_sum(power(x, p), fit(window, image_of(x), {})), p));
  };
}

Kernel max_pool(const Build& build) {
  return [window = read_window(build), columns = build.flag("storage_order")](Call& call) {
    MaxPooled out = pool_max(call.in(0), window, call.wants(1), columns);
    call.out(0, std::move(out.values));
    call.out(1, std::move(out.indices));
  };
}

std::vector<std::int64_t> image_axes(const at::Tensor& x) {
  std::vector<std::int64_t> out;
  for (std::int64_t k = 2; k < x.dim(); ++k) out.push_back(k);
  return out;
}

Kernel global_average_pool(const Build&) {
  return [](Call& call) {
    const at::Tensor& x = call.in(0);
    call.out(0, x.dim() > 2 ? at::mean(x, image_axes(x), true) : x);
  };
}

Kernel global_lp_pool(const Build& build) {
  return [p = exponent(build)](Call& call) {
    const at::Tensor& x = call.in(0);
    call.out(0, x.dim() > 2 ? root(at::sum(power(x, p), image_axes(x), true), p) : at::abs(x));
  };
}

Kernel global_max_pool(const Build&) {
  return [](Call& call) {
    const at::Tensor& x = call.in(0);
    call.out(0, x.dim() > 2 ? at::amax(x, image_axes(x), true) : x);
  };
}

// Indices count through the whole tensor whose extents the window gives; output_shape surrounds it with zeros behind.
Kernel max_unpool(const Build& build) {
  return [raw = read_window(build)](Call& call) {
    const at::Tensor& x = call.in(0);
    const Window window = fit(raw, image_of(x), {});
    std::vector<std::int64_t> shape = x.sizes().vec();
    for (std::size_t i = 0; i < window.kernel.size(); ++i)
      shape[i + 2] = (shape[i + 2] - 1) * window.strides[i] + window.kernel[i] - window.begins[i] - window.ends[i];
    at::Tensor y = at::zeros({c10::multiply_integers(shape)}, x.options());
    y = at::scatter(y, 0, call.in(1).reshape({-1}), x.reshape({-1})).reshape(shape);
    if (call.has(2)) {
      const std::vector<std::int64_t> wanted = call.ints(2);
      if (wanted.size() != shape.size()) throw Error("output_shape: expected one number an axis");
      std::vector<std::int64_t> ends;
      for (std::size_t i = 0; i < shape.size(); ++i) ends.push_back(wanted[i] - shape[i]);
      y = surround(y, std::vector<std::int64_t>(shape.size(), 0), ends, 0);
    }
    call.out(0, y);
  };
}

}  // namespace

void add_pool_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "AveragePool", average_pool});
  entries.push_back({"", "GlobalAveragePool", global_average_pool});
  entries.push_back({"", "GlobalLpPool", global_lp_pool});
  entries.push_back({"", "GlobalMaxPool", global_max_pool});
  entries.push_back({"", "LpPool", lp_pool});
  entries.push_back({"", "MaxPool", max_pool});
  entries.push_back({"", "MaxUnpool", max_unpool});
}

}  // namespace coppice::executor
