#include "coupling/rules/rules.hpp"

namespace coppice::coupling {
namespace {

// Scale and zero point follow the axis that they are listed along; scalars follow nothing.
void quantize(RuleContext& c) {
  auto axes = c.axes(0);
  for (std::size_t i : {std::size_t{1}, std::size_t{2}}) {
    if (!c.has(i)) continue;
    if (c.rank(i) == 1 && c.shape(i)[0] > 1) {
      const std::size_t k = RuleContext::wrap(c.node().int_or("axis", 1), axes.size());
      axes[k] = c.meet(axes[k], c.axis(i, 0));
    } else if (c.rank(i) > 1) {  // blocks: the blocked axis has a meaning of its own
      if (c.rank(i) != axes.size()) return c.lock_all(Reason::unknown_shape);
      for (std::size_t k = 0; k < c.rank(i); ++k) {
        if (c.shape(i)[k] == c.shape(0)[k]) {
          axes[k] = c.meet(axes[k], c.axis(i, k));
        } else {
          c.lock(axes[k], Reason::ordered_axis);
          c.lock(i, k, Reason::ordered_axis);
        }
      }
    }
  }
  c.set(0, axes);
}

void dynamic_quantize(RuleContext& c) {
  for (std::size_t k = 0; k < c.rank(0); ++k)
    if (c.peek(0, k).tracked()) c.mix(Mixing::range, 0, k, false);
  c.set(0, c.axes(0));
}

// A vector operand (scales, zero points, bias) along result axis k.
void vector_along(RuleContext& c, std::size_t operand, std::size_t weight, std::size_t weight_axis) {
  if (c.has(operand) && c.rank(operand) == 1 && c.shape(operand)[0] > 1)
    c.meet(c.axis(weight, weight_axis), c.axis(operand, 0));
}

void conv_integer(RuleContext& c) {
  convolution(c, 0, 1, -1);
  vector_along(c, 3, 1, 0);
}

void qlinear_conv(RuleContext& c) {
  convolution(c, 0, 3, 8);
  vector_along(c, 4, 3, 0);
  vector_along(c, 5, 3, 0);
}

// Scales and zero points with a number per row of the matrix: the rows stay.
void lock_rows(RuleContext& c, std::initializer_list<std::size_t> operands) {
  for (std::size_t i : operands) {
    if (c.rank(i) > 1 || (c.rank(i) == 1 && c.shape(i)[0] > 1)) return c.lock_all(Reason::ordered_axis);
  }
}

void matmul_integer(RuleContext& c) {
  matrix_product(c, 0, 1);
  if (c.rank(1) > 1) vector_along(c, 3, 1, c.rank(1) - 1);
  lock_rows(c, {2});
  if (c.rank(3) > 1) c.lock_all(Reason::ordered_axis);
}

void qlinear_matmul(RuleContext& c) {
  matrix_product(c, 0, 3);
  for (std::size_t i : {std::size_t{4}, std::size_t{5}})
    if (c.rank(3) > 1) vector_along(c, i, 3, c.rank(3) - 1);
  if (c.rank(4) > 1 || c.rank(5) > 1) c.lock_all(Reason::ordered_axis);
  lock_rows(c, {1, 2, 6, 7});
}

// A, scale, zero point, B, scale, zero point, result's scale and zero point.
void qlinear_binary(RuleContext& c) {
  broadcast_operands(c, {0, 3});
}

void qlinear_pool(RuleContext& c) {
  if (c.node().int_or("channels_last", 0) != 0) return c.lock_all(Reason::unknown_operator);
  c.set(0, 0, c.axis(0, 0));
  c.set(0, 1, c.axis(0, 1));
  c.lock_from(0, 2, Reason::fixed_axis);
}

void qlinear_concat(RuleContext& c) {
  const std::size_t axis = RuleContext::wrap(c.node().int_or("axis", 1), c.out_rank());
  std::vector<Axis> parts;
  for (std::size_t i = 2; i < c.node().inputs.size(); i += 3) parts.push_back(c.axis(i, axis));
  c.set(0, axis, c.state().concat(parts, c.index()));
  for (std::size_t k = 0; k < c.out_rank(); ++k) {
    if (k == axis) continue;
    Axis out = c.axis(2, k);
    for (std::size_t i = 5; i < c.node().inputs.size(); i += 3) out = c.meet(out, c.axis(i, k));
    c.set(0, k, out);
  }
}

}  // namespace

void add_quant_rules(std::vector<RuleEntry>& rules) {
  for (std::string_view domain : {"", "com.microsoft"}) {
    rules.push_back({domain, "QuantizeLinear", quantize});
    rules.push_back({domain, "DequantizeLinear", quantize});
  }
  rules.push_back({"", "DynamicQuantizeLinear", dynamic_quantize});
  rules.push_back({"", "ConvInteger", conv_integer});
  rules.push_back({"", "QLinearConv", qlinear_conv});
  rules.push_back({"", "MatMulInteger", matmul_integer});
  rules.push_back({"", "QLinearMatMul", qlinear_matmul});
  for (std::string_view op : {"QLinearAdd", "QLinearMul"}) rules.push_back({"com.microsoft", op, qlinear_binary});
  for (std::string_view op : {"QLinearSigmoid", "QLinearLeakyRelu"}) rules.push_back({"com.microsoft", op, same_axes});
  for (std::string_view op : {"QLinearAveragePool", "QLinearGlobalAveragePool"})
    rules.push_back({"com.microsoft", op, qlinear_pool});
  rules.push_back({"com.microsoft", "QLinearConcat", qlinear_concat});
}

}  // namespace coppice::coupling
