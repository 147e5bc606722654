#include "torch/kernels/kernels.hpp"

namespace coppice::executor {
namespace {

Kernel global_average_pool(const Build&) {
  return [](Call& call) {
    std::vector<std::int64_t> axes;
    for (std::int64_t k = 2; k < call.in(0).dim(); ++k) axes.push_back(k);
    call.out(0, at::mean(call.in(0), axes, true));
  };
}

Kernel max_pool(const Build& build) {
  const auto kernel = build.integers("kernel_shape"), strides = build.integers("strides"),
             pads = build.integers("pads");
  return [=](Call& call) {
    call.out(0, at::max_pool2d(call.in(0), kernel, strides, std::vector<std::int64_t>{pads[0], pads[1]}));
  };
}

}  // namespace

void add_pool_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "GlobalAveragePool", global_average_pool});
  entries.push_back({"", "MaxPool", max_pool});
}

}  // namespace coppice::executor
