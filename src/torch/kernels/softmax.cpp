#include "torch/kernels/kernels.hpp"

namespace coppice::executor {
namespace {

using at::Tensor;
using Along = Tensor (*)(const Tensor&, std::int64_t axis);

Tensor softmax_along(const Tensor& x, std::int64_t axis) {
  return at::softmax(x, axis);
}

Tensor log_softmax_along(const Tensor& x, std::int64_t axis) {
  return at::log_softmax(x, axis);
}

// 1 at the first of the largest elements.
Tensor hardmax_along(const Tensor& x, std::int64_t axis) {
  return at::scatter(at::zeros_like(x), axis, at::argmax(x, axis, true), 1);
}

// Before operator set 13 the axes from `axis` on count as one.
template <Along kAlong>
Kernel along(const Build& build) {
  const bool flat = build.opset() < 13;
  return [flat, axis = build.integer("axis", flat ? 1 : -1)](Call& call) {
    const Tensor& x = call.in(0);
    const std::int64_t first = axis < 0 ? axis + x.dim() : axis;
    if (!flat || first == x.dim() - 1) return call.out(0, kAlong(x, first));
    call.out(0, kAlong(x.flatten(first), first).reshape(x.sizes()));
  };
}

}  // namespace

void add_softmax_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "Hardmax", along<hardmax_along>});
  entries.push_back({"", "LogSoftmax", along<log_softmax_along>});
  entries.push_back({"", "Softmax", along<softmax_along>});
}

}  // namespace coppice::executor
