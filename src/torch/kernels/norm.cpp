#include "torch/kernels/kernels.hpp"

namespace coppice::executor {
namespace {

Kernel batch_norm(const Build& build) {
  const double epsilon = build.real("epsilon", 1e-5), momentum = build.real("momentum", 0.9);
  return [=](Call& call) {
    // libtorch's momentum is the share of the new value, ONNX's that of the old one.
    call.out(0, at::batch_norm(call.in(0), call.in(1), call.in(2), call.in(3), call.in(4), call.training(),
                               1 - momentum, epsilon, true));
  };
}

}  // namespace

void add_norm_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "BatchNormalization", batch_norm});
}

}  // namespace coppice::executor
