#include "torch/kernels/convolve.hpp"
#include "torch/kernels/kernels.hpp"
#include "torch/kernels/quantise.hpp"

namespace coppice::executor {
namespace {

using at::Tensor;

Kernel quantize_linear(const Build& build) {
  std::optional<Quantised> type = quantised_value(build, build.node().input(2));
  if (!build.has_input(2))
    type = quantised_as(
        static_cast<tensor::DType>(build.integer("output_dtype", static_cast<std::int64_t>(tensor::DType::uint8))));
  return [type, axis = build.integer("axis", 1), block = build.integer("block_size", 0)](Call& call) {
    const Tensor& x = call.in(0);
    const Tensor zero = spread(call.maybe(2), x, axis, block);
    call.out(0, quantise(x, spread(call.in(1), x, axis, block), zero, type ? *type : quantised_like(zero)));
  };
}

Kernel dequantize_linear(const Build& build) {
  std::optional<at::ScalarType> type;
  if (build.integer("output_dtype", 0) != 0) type = build.type("output_dtype", tensor::DType::float32);
  return [type, axis = build.integer("axis", 1), block = build.integer("block_size", 0)](Call& call) {
    const Tensor& x = call.in(0);
    const Tensor y = dequantise(x, spread(call.in(1), x, axis, block), spread(call.maybe(2), x, axis, block));
    call.out(0, type ? y.to(*type) : y);
  };
}

Kernel dynamic_quantize_linear(const Build&) {
  return [](Call& call) {
    const Tensor& x = call.in(0);
    const Quantised to = quantised_as(tensor::DType::uint8);
    const Tensor low = at::amin(x).clamp_max(0), high = at::amax(x).clamp_min(0);
    Tensor scale = (high - low) / 255;
    scale = at::where(scale == 0, at::ones_like(scale), scale);
    const Tensor zero = at::round(at::clamp(-low / scale, to.low, to.high));
    call.out(0, quantise(x, scale, zero, to));
    call.out(1, scale);
    call.out(2, zero.to(to.held));
  };
}

// A list for the rows of a matrix, or for its columns.
Tensor by_rows(const Tensor& list, const Tensor& matrix) {
  return list.defined() ? spread(list, matrix, matrix.dim() > 1 ? -2 : -1) : list;
}
Tensor by_columns(const Tensor& list, const Tensor& matrix) {
  return list.defined() ? spread(list, matrix, -1) : list;
}

// Sums of products are exact in double, and multiply faster there than as integers.
Tensor product(const Tensor& a, const Tensor& b) {
  return at::matmul(a.to(at::kDouble), b.to(at::kDouble));
}

Kernel matmul_integer(const Build&) {
  return [](Call& call) {
    const Tensor a = centred(call.in(0), by_rows(call.maybe(2), call.in(0)));
    const Tensor b = centred(call.in(1), by_columns(call.maybe(3), call.in(1)));
    call.out(0, product(a, b).to(at::kInt));
  };
}

// Operands: A, its scale and zero point, B and its, then those of the result.
Kernel qlinear_matmul(const Build&) {
  return [](Call& call) {
    const Tensor &a = call.in(0), &b = call.in(3);
    const Tensor sums = product(centred(a, by_rows(call.in(2), a)), centred(b, by_columns(call.in(5), b)));
    const Tensor scale = by_rows(call.in(1), a) * by_columns(call.in(4), b) / by_rows(call.in(6), a);
    call.out(0, saturate(sums.to(at::kFloat) * scale, by_rows(call.in(7), a), quantised_like(call.in(7))));
  };
}

// Operands: image, its scale and zero point, weight and its, those of the result, and a bias in the sums' unit.
Kernel qlinear_conv(const Build& build) {
  const bool last = build.flag("channels_last");
  return [last, window = read_window(build), groups = build.integer("group", 1)](Call& call) {
    const Tensor x = last ? call.in(0).movedim(-1, 1) : call.in(0);
    const Tensor& weight = call.in(3);
    Tensor sums =
        convolve_integers(centred(x, call.in(2)), centred(weight, spread(call.in(5), weight, 0)), window, groups);
    if (call.has(8)) sums = sums + along_channels(call.in(8), sums.dim());
    const Tensor scale = along_channels(call.in(1) * call.in(4) / call.in(6), sums.dim());
    const Tensor y = saturate(sums.to(at::kFloat) * scale, call.in(7), quantised_like(call.in(7)));
    call.out(0, last ? y.movedim(1, -1) : y);
  };
}

}  // namespace

void add_quant_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "DequantizeLinear", dequantize_linear});
  entries.push_back({"", "DynamicQuantizeLinear", dynamic_quantize_linear});
  entries.push_back({"", "MatMulInteger", matmul_integer});
  entries.push_back({"", "QLinearConv", qlinear_conv});
  entries.push_back({"", "QLinearMatMul", qlinear_matmul});
  entries.push_back({"", "QuantizeLinear", quantize_linear});
  entries.push_back({"com.microsoft", "DequantizeLinear", dequantize_linear});
  entries.push_back({"com.microsoft", "QLinearConv", qlinear_conv});
  entries.push_back({"com.microsoft", "QuantizeLinear", quantize_linear});
}

}  // namespace coppice::executor
