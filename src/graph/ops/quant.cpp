#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

// A scale or zero point is a scalar or single number, one number for each index of the axis, or one for each block.
void check_parameter(const InferContext& c, std::size_t operand) {
  const Fact &x = c.in(0), &parameter = c.in(operand);
  if (!x.ranked || !parameter.ranked || parameter.rank() == 0) return;
  if (parameter.rank() == 1 && (parameter.shape[0] == 1 || x.rank() == 0)) return;
  const std::size_t axis = axis_of(c.node().int_or("axis", 1), x.rank());
  const std::int64_t block = c.node().int_or("block_size", 0);
  if (parameter.rank() == 1 && block == 0) {
    dim_same(x.shape[axis], parameter.shape[0], "length of operand " + std::to_string(operand));
    return;
  }
  if (block <= 0 || parameter.rank() != x.rank())
    fail("operand " + std::to_string(operand) + ": expected one number an index of axis " + std::to_string(axis) +
         " or a block of " + show(x.shape) + ", found " + show(parameter.shape));
  for (std::size_t i = 0; i < x.rank(); ++i) {
    std::int64_t expected = x.shape[i];
    if (i == axis && expected >= 0) expected = expected / block + (expected % block != 0 ? 1 : 0);
    dim_same(expected, parameter.shape[i], "extent " + std::to_string(i) + " of operand " + std::to_string(operand));
  }
}

void set_output(InferContext& c, DType dtype) {
  for (std::size_t i = 1; i < 3; ++i) check_parameter(c, i);
  c.out(0, {dtype, c.in(0).ranked, c.in(0).shape, nullptr});
}

void infer_quantize(InferContext& c) {
  expect_inputs(c, 2);
  set_output(c, c.has_input(2) ? c.in(2).dtype : dtype_attribute(c, "output_dtype", DType::uint8));
}

void infer_dequantize(InferContext& c) {
  expect_inputs(c, 2);
  DType dtype = dtype_attribute(c, "output_dtype", DType::undefined);
  if (dtype == DType::undefined) dtype = c.in(1).dtype;
  set_output(c, dtype);
}

void infer_dynamic_quantize(InferContext& c) {
  expect_inputs(c, 1);
  c.out(0, {DType::uint8, c.in(0).ranked, c.in(0).shape, nullptr});
  c.out(1, Fact::of(DType::float32, {}));
  c.out(2, Fact::of(DType::uint8, {}));
}

void infer_qlinear_unary(InferContext& c) {
  expect_inputs(c, 4);
  same_as_input(c);
}

// (A, scale, zero point, B, scale, zero point, scale, zero point)
void infer_qlinear_binary(InferContext& c) {
  expect_inputs(c, 7);
  const Fact &a = c.in(0), &b = c.in(3);
  if (!a.ranked || !b.ranked) return out_type(c, 0, a.dtype);
  c.out(0, Fact::of(a.dtype, broadcast(a.shape, b.shape)));
}

// (scale, zero point of the result, then operand, scale, zero point for each operand)
void infer_qlinear_concat(InferContext& c) {
  expect_inputs(c, 5);
  const DType dtype = c.in(1).dtype;
  Shape out;
  for (std::size_t i = 2; i < c.input_count(); i += 3) {
    const Fact& x = c.in(i);
    if (!x.ranked) return out_type(c, 0, dtype);
    if (i == 2) {
      out = x.shape;
      axis_of(c.node().int_or("axis", 1), out.size());
      continue;
    }
    expect_rank(c, i, out.size(), out.size());
    const std::size_t axis = axis_of(c.node().int_or("axis", 1), out.size());
    for (std::size_t k = 0; k < out.size(); ++k)
      out[k] = k == axis ? dim_add(out[k], x.shape[k]) : dim_same(out[k], x.shape[k], "extent beside the axis");
  }
  c.out(0, Fact::of(dtype, std::move(out)));
}

}  // namespace

void add_quant_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "DequantizeLinear", infer_dequantize});
  defs.push_back({"", "DynamicQuantizeLinear", infer_dynamic_quantize});
  defs.push_back({"", "QuantizeLinear", infer_quantize});
  defs.push_back({"com.microsoft", "DequantizeLinear", infer_dequantize});
  defs.push_back({"com.microsoft", "QLinearAdd", infer_qlinear_binary});
  defs.push_back({"com.microsoft", "QLinearConcat", infer_qlinear_concat});
  defs.push_back({"com.microsoft", "QLinearLeakyRelu", infer_qlinear_unary});
  defs.push_back({"com.microsoft", "QLinearMul", infer_qlinear_binary});
  defs.push_back({"com.microsoft", "QLinearSigmoid", infer_qlinear_unary});
  defs.push_back({"com.microsoft", "QLinearSoftmax", infer_qlinear_unary});
  defs.push_back({"com.microsoft", "QuantizeLinear", infer_quantize});
}

}  // namespace coppice::graph::ops
