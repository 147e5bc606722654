#include <cmath>

#include "torch/kernels/activation.hpp"
#include "torch/kernels/kernels.hpp"

namespace coppice::executor {
namespace {

using at::Tensor;

// As a whole number where it is one: operands of whole numbers take no other.
at::Scalar scalar(double value) {
  return value == std::floor(value) ? at::Scalar(static_cast<std::int64_t>(value)) : at::Scalar(value);
}

Kernel gemm(const Build& build) {
  const bool trans_a = build.flag("transA"), trans_b = build.flag("transB");
  const double alpha = build.real("alpha", 1), beta = build.real("beta", 1);
  Activation activation;
  if (build.node().op == "FusedGemm") {
    activation = find_activation(build.text("activation", ""));
    activation.alpha = build.real("activation_alpha", activation.alpha);
    activation.beta = build.real("activation_beta", activation.beta);
  }
  return [=](Call& call) {
    const Tensor a = trans_a ? call.in(0).t() : call.in(0);
    const Tensor b = trans_b ? call.in(1).t() : call.in(1);
    if (call.has(2)) {
      call.out(0, activation(at::addmm(call.in(2), a, b, scalar(beta), scalar(alpha))));
    } else {
      const Tensor product = at::mm(a, b);
      call.out(0, activation(alpha == 1 ? product : product * scalar(alpha)));
    }
  };
}

Kernel matmul(const Build&) {
  return [](Call& call) { call.out(0, at::matmul(call.in(0), call.in(1))); };
}

// transBatch moves axis 0 in front of the last one, then trans swaps the last two.
Tensor turned(const Tensor& x, bool batch, bool last) {
  if (x.dim() < 2) return x;
  const Tensor moved = batch ? x.movedim(0, -2) : x;
  return last ? moved.transpose(-1, -2) : moved;
}

Kernel fused_matmul(const Build& build) {
  const bool trans_a = build.flag("transA"), trans_b = build.flag("transB");
  const bool batch_a = build.flag("transBatchA"), batch_b = build.flag("transBatchB");
  const double alpha = build.real("alpha", 1);
  return [=](Call& call) {
    const Tensor product = at::matmul(turned(call.in(0), batch_a, trans_a), turned(call.in(1), batch_b, trans_b));
    call.out(0, alpha == 1 ? product : product * scalar(alpha));
  };
}

Kernel einsum(const Build& build) {
  return [equation = build.text("equation", "")](Call& call) {
    std::vector<Tensor> operands;
    for (std::size_t i = 0; i < call.input_count(); ++i) operands.push_back(call.in(i));
    call.out(0, at::einsum(equation, operands));
  };
}

}  // namespace

void add_matmul_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "Einsum", einsum});
  entries.push_back({"", "Gemm", gemm});
  entries.push_back({"", "MatMul", matmul});
  entries.push_back({"com.microsoft", "FusedGemm", gemm});
  entries.push_back({"com.microsoft", "FusedMatMul", fused_matmul});
  entries.push_back({"com.microsoft", "TransposeMatMul", fused_matmul});
}

}  // namespace coppice::executor
