#include "torch/kernels/kernels.hpp"

namespace coppice::executor {
namespace {

// Pads of ONNX: all begins, then all ends. Begins and ends that differ need a padded input.
struct Window {
  std::vector<std::int64_t> strides, dilations, pads;
  std::int64_t groups = 1;
};

Kernel conv(const Build& build) {
  Window window{build.integers("strides"), build.integers("dilations"), build.integers("pads"),
                build.integer("group", 1)};
  return [window = std::move(window)](Call& call) mutable {
    const auto spatial = static_cast<std::size_t>(call.in(0).dim() - 2);
    if (window.strides.empty()) window.strides.assign(spatial, 1);
    if (window.dilations.empty()) window.dilations.assign(spatial, 1);
    if (window.pads.empty()) window.pads.assign(2 * spatial, 0);
    const std::vector<std::int64_t> begins(window.pads.begin(),
                                           window.pads.begin() + static_cast<std::ptrdiff_t>(spatial));
    call.out(0, at::convolution(call.in(0), call.in(1), call.maybe(2), window.strides, begins, window.dilations, false,
                                std::vector<std::int64_t>(spatial, 0), window.groups));
  };
}

}  // namespace

void add_conv_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "Conv", conv});
}

}  // namespace coppice::executor
