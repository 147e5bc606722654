#include "torch/kernels/kernels.hpp"

namespace coppice::executor {
namespace {

Kernel flatten(const Build& build) {
  const std::int64_t axis = build.integer("axis", 1);
  return [=](Call& call) {
    const at::Tensor& x = call.in(0);
    std::int64_t rows = 1;
    for (std::int64_t k = 0; k < (axis < 0 ? axis + x.dim() : axis); ++k) rows *= x.size(k);
    call.out(0, x.reshape({rows, rows == 0 ? 0 : x.numel() / rows}));
  };
}

}  // namespace

void add_shape_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "Flatten", flatten});
}

}  // namespace coppice::executor
