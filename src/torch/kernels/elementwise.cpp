#include "torch/kernels/kernels.hpp"
#include "torch/kernels/operands.hpp"

namespace coppice::executor {
namespace {

Kernel leaky_relu(const Build& build) {
  return [alpha = build.real("alpha", 0.01)](Call& call) { call.out(0, at::leaky_relu(call.in(0), alpha)); };
}

Kernel elu(const Build& build) {
  return [alpha = build.real("alpha", 1)](Call& call) { call.out(0, at::elu(call.in(0), alpha)); };
}

Kernel celu(const Build& build) {
  return [alpha = build.real("alpha", 1)](Call& call) { call.out(0, at::celu(call.in(0), alpha)); };
}

Kernel selu(const Build& build) {
  const double alpha = build.real("alpha", 1.67326319217681884765625);
  const double gamma = build.real("gamma", 1.05070102214813232421875);
  return [=](Call& call) { call.out(0, at::elu(call.in(0), alpha, gamma)); };
}

Kernel gelu(const Build& build) {
  return
      [approximate = build.text("approximate", "none")](Call& call) { call.out(0, at::gelu(call.in(0), approximate)); };
}

Kernel hard_sigmoid(const Build& build) {
  const double alpha = build.real("alpha", 0.2), beta = build.real("beta", 0.5);
  return [=](Call& call) { call.out(0, at::clamp(call.in(0) * alpha + beta, 0, 1)); };
}

Kernel hard_swish(const Build&) {
  return [](Call& call) { call.out(0, at::hardswish(call.in(0))); };
}

Kernel mish(const Build&) {
  return [](Call& call) { call.out(0, at::mish(call.in(0))); };
}

Kernel prelu(const Build& build) {
  return [before_broadcast = build.opset() < 7](Call& call) {
    at::Tensor x = call.in(0), slope = call.in(1);
    to_one_device({&x, &slope});
    // One slope a channel, in the days before broadcasting.
    if (before_broadcast && slope.dim() == 1 && slope.numel() > 1) {
      std::vector<std::int64_t> shape(static_cast<std::size_t>(x.dim() - 1), 1);
      shape[0] = slope.numel();
      slope = slope.reshape(shape);
    }
    call.out(0, at::where(x > 0, x, x * slope));
  };
}

Kernel relu(const Build&) {
  return [](Call& call) { call.out(0, at::relu(call.in(0))); };
}

Kernel shrink(const Build& build) {
  const double bias = build.real("bias", 0), bound = build.real("lambd", 0.5);
  return [=](Call& call) {
    const at::Tensor& x = call.in(0);
    // In whole numbers too, where a bias may be a fraction.
    const at::Tensor low = (x + bias).to(x.scalar_type()), high = (x - bias).to(x.scalar_type());
    call.out(0, at::where(x < -bound, low, at::where(x > bound, high, at::zeros_like(x))));
  };
}

Kernel sigmoid(const Build&) {
  return [](Call& call) { call.out(0, at::sigmoid(call.in(0))); };
}

Kernel softplus(const Build&) {
  return [](Call& call) { call.out(0, at::softplus(call.in(0))); };
}

Kernel softsign(const Build&) {
  return [](Call& call) { call.out(0, call.in(0) / (call.in(0).abs() + 1)); };
}

Kernel swish(const Build& build) {
  return [alpha = build.real("alpha", 1)](Call& call) {
    const at::Tensor& x = call.in(0);
    call.out(0, alpha == 1 ? at::silu(x) : x * at::sigmoid(x * alpha));
  };
}

Kernel tanh(const Build&) {
  return [](Call& call) { call.out(0, at::tanh(call.in(0))); };
}

Kernel thresholded_relu(const Build& build) {
  return [alpha = build.real("alpha", 1)](Call& call) { call.out(0, at::threshold(call.in(0), alpha, 0)); };
}

}  // namespace

void add_elementwise_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "Celu", celu});
  entries.push_back({"", "Elu", elu});
  entries.push_back({"", "Gelu", gelu});
  entries.push_back({"", "HardSigmoid", hard_sigmoid});
  entries.push_back({"", "HardSwish", hard_swish});
  entries.push_back({"", "LeakyRelu", leaky_relu});
  entries.push_back({"", "Mish", mish});
  entries.push_back({"", "PRelu", prelu});
  entries.push_back({"", "Relu", relu});
  entries.push_back({"", "Selu", selu});
  entries.push_back({"", "Shrink", shrink});
  entries.push_back({"", "Sigmoid", sigmoid});
  entries.push_back({"", "Softplus", softplus});
  entries.push_back({"", "Softsign", softsign});
  entries.push_back({"", "Swish", swish});
  entries.push_back({"", "Tanh", tanh});
  entries.push_back({"", "ThresholdedRelu", thresholded_relu});
}

}  // namespace coppice::executor
