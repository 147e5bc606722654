#include "torch/kernels/kernels.hpp"

namespace coppice::executor {
namespace {

// Drops while the module trains, whatever the model was exported for.
Kernel dropout(const Build& build) {
  const double fixed = build.real("ratio", 0.5);
  const bool mask_is_boolean = build.opset() >= 10;
  return [=](Call& call) {
    const at::Tensor& x = call.in(0);
    at::Tensor out = x, mask;
    const double ratio = call.training() ? (call.has(1) ? call.number(1) : fixed) : 0;
    if (ratio > 0 && !call.wants(1))
      out = at::dropout(x, ratio, true);
    else if (ratio > 0)
      std::tie(out, mask) = at::native_dropout(x, ratio, true);
    call.out(0, out);
    if (!call.wants(1)) return;
    if (!mask.defined()) mask = at::ones_like(x, at::kBool);
    call.out(1, mask_is_boolean ? mask.to(at::kBool) : mask.to(x.scalar_type()));
  };
}

}  // namespace

void add_dropout_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "Dropout", dropout});
}

}  // namespace coppice::executor
