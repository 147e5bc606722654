#include "torch/kernels/kernels.hpp"
#include "torch/kernels/pooling.hpp"
#include "torch/kernels/quantise.hpp"

/// Operators of ONNX Runtime's domain on 8-bit integers: the result of the operator on real numbers, quantised again.
namespace coppice::executor {
namespace {

using at::Tensor;

// Operand i with the scale and zero point behind it.
Tensor real(const Call& call, std::size_t i) {
  return dequantise(call.in(i), call.in(i + 1), call.maybe(i + 2));
}

// y in the unit of the scale and zero point from i on. A result without a zero point has the type of x.
Tensor back(const Call& call, const Tensor& y, std::size_t i, const Tensor& x) {
  const Tensor zero = call.maybe(i + 1);
  return quantise(y, call.in(i), zero, quantised_like(zero.defined() ? zero : x));
}

template <class Function>
Kernel unary(Function function) {
  return [function](Call& call) { call.out(0, back(call, function(real(call, 0)), 3, call.in(0))); };
}

Kernel leaky_relu(const Build& build) {
  return unary([alpha = build.real("alpha", 0.01)](const Tensor& x) { return at::leaky_relu(x, alpha); });
}

Kernel sigmoid(const Build&) {
  return unary([](const Tensor& x) { return at::sigmoid(x); });
}

// Before operator set 13 of the softmax that was quantised, the axes from `axis` on count as one.
Kernel softmax(const Build& build) {
  const bool flat = build.integer("opset", 13) < 13;
  return unary([flat, axis = build.integer("axis", -1)](const Tensor& x) {
    return flat ? at::softmax(x.flatten(axis < 0 ? axis + x.dim() : axis), -1).reshape(x.sizes())
                : at::softmax(x, axis);
  });
}

Kernel add(const Build&) {
  return [](Call& call) { call.out(0, back(call, real(call, 0) + real(call, 3), 6, call.in(0))); };
}

Kernel multiply(const Build&) {
  return [](Call& call) { call.out(0, back(call, real(call, 0) * real(call, 3), 6, call.in(0))); };
}

// A pool, with channels on axis 1 or last.
template <class Function>
Kernel pool(bool last, Function function) {
  return [last, function](Call& call) {
    const Tensor x = real(call, 0);
    const Tensor y = function(last ? x.movedim(-1, 1) : x);
    call.out(0, back(call, last ? y.movedim(1, -1) : y, 3, call.in(0)));
  };
}

Kernel average_pool(const Build& build) {
  return pool(build.flag("channels_last"), [window = read_window(build), whole = build.flag("count_include_pad")](
                                               const Tensor& x) { return pool_average(x, window, whole); });
}

Kernel global_average_pool(const Build& build) {
  return pool(build.flag("channels_last"), [](const Tensor& x) {
    std::vector<std::int64_t> axes;
    for (std::int64_t k = 2; k < x.dim(); ++k) axes.push_back(k);
    return at::mean(x, axes, true);
  });
}

// Scale and zero point of the result come first, then each operand with its own.
Kernel concat(const Build& build) {
  return [axis = build.integer("axis", 1)](Call& call) {
    std::vector<Tensor> parts;
    for (std::size_t i = 2; i + 1 < call.input_count(); i += 3) parts.push_back(real(call, i));
    call.out(0, back(call, at::cat(parts, axis), 0, call.in(2)));
  };
}

}  // namespace

void add_qlinear_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"com.microsoft", "QLinearAdd", add});
  entries.push_back({"com.microsoft", "QLinearAveragePool", average_pool});
  entries.push_back({"com.microsoft", "QLinearConcat", concat});
  entries.push_back({"com.microsoft", "QLinearGlobalAveragePool", global_average_pool});
  entries.push_back({"com.microsoft", "QLinearLeakyRelu", leaky_relu});
  entries.push_back({"com.microsoft", "QLinearMul", multiply});
  entries.push_back({"com.microsoft", "QLinearSigmoid", sigmoid});
  entries.push_back({"com.microsoft", "QLinearSoftmax", softmax});
}

}  // namespace coppice::executor
