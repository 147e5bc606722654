#include "torch/kernels/kernels.hpp"

namespace coppice::executor {
namespace {

Kernel gemm(const Build& build) {
  const bool trans_a = build.flag("transA"), trans_b = build.flag("transB");
  const double alpha = build.real("alpha", 1), beta = build.real("beta", 1);
  return [=](Call& call) {
    const at::Tensor a = trans_a ? call.in(0).t() : call.in(0);
    const at::Tensor b = trans_b ? call.in(1).t() : call.in(1);
    if (call.has(2)) {
      call.out(0, at::addmm(call.in(2), a, b, beta, alpha));
    } else {
      const at::Tensor product = at::mm(a, b);
      call.out(0, alpha == 1 ? product : product * alpha);
    }
  };
}

}  // namespace

void add_matmul_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "Gemm", gemm});
}

}  // namespace coppice::executor
