#include "importance/quantisation.hpp"

#include <cmath>

namespace coppice::importance {
namespace {

// Operands of the scale and zero point that belong to an operand; -1: none.
struct Operands {
  int scale = -1, zero = -1;
  std::int64_t axis = 0;  // of one number an index; negative counts from the end
};

bool find_operands(const graph::Node& node, std::size_t operand, Operands& out) {
  const std::string& op = node.op;
  if (op == "DequantizeLinear" && operand == 0) {
    out = {1, 2, node.int_or("axis", 1)};
  } else if (op == "QLinearConv" && operand == 3) {
    out = {4, 5, 0};
  } else if (op == "ConvInteger" && operand == 1) {
    out = {-1, 3, 0};
  } else if (op == "QLinearMatMul" && (operand == 0 || operand == 3)) {
    out = {static_cast<int>(operand) + 1, static_cast<int>(operand) + 2, operand == 0 ? -2 : -1};
  } else if (op == "MatMulInteger" && operand < 2) {
    out = {-1, static_cast<int>(operand) + 2, operand == 0 ? -2 : -1};
  } else if (op == "MatMulIntegerToFloat" && operand < 2) {
    out = {static_cast<int>(operand) + 2, static_cast<int>(operand) + 4, operand == 0 ? -2 : -1};
  } else if (op == "DynamicQuantizeMatMul" && operand == 1) {
    out = {2, 3, -1};
  } else if (op == "QGemm" && operand == 3) {
    out = {4, 5, node.int_or("transB", 0) != 0 ? 0 : 1};
  } else {
    return false;
  }
  return true;
}

// The numbers of a scalar, or of a vector of `length`; empty otherwise.
std::vector<double> numbers(const graph::Graph& graph, const graph::Node& node, int operand, std::int64_t length) {
  if (operand < 0) return {};
  const graph::Tensor* tensor = graph.constant(node.input(static_cast<std::size_t>(operand)));
  if (!tensor || tensor->shape.size() > 1) return {};
  const std::int64_t count = tensor->elements();
  if (count != 1 && count != length) return {};
  std::vector<double> out(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) out[static_cast<std::size_t>(i)] = tensor::element_as_double(*tensor, i);
  return out;
}

}  // namespace

Quantisation quantisation(const graph::Graph& graph, const Readers& readers, graph::ValueId constant) {
  const graph::Tensor& tensor = *graph.constant(constant);
  if (tensor::is_real(tensor.dtype)) return {};
  const auto rank = static_cast<std::int64_t>(tensor.shape.size());
  for (std::int32_t n : readers.nodes(constant)) {
    const graph::Node& node = graph.nodes[static_cast<std::size_t>(n)];
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      Operands where;
      if (node.inputs[i] != constant || !find_operands(node, i, where)) continue;
      const std::int64_t axis = where.axis < 0 ? where.axis + rank : where.axis;
      const bool on_axis = axis >= 0 && axis < rank;
      const std::int64_t length = on_axis ? tensor.shape[static_cast<std::size_t>(axis)] : 1;
      Quantisation out;
      out.axis = on_axis ? static_cast<std::size_t>(axis) : 0;
      out.scales = numbers(graph, node, where.scale, length);
      out.zero = {numbers(graph, node, where.zero, length), out.axis};
      return out;
    }
  }
  return {};
}

double sum_factor(const Quantisation& how, std::size_t axis, std::size_t index, int power) {
  if (how.scales.empty()) return 1;
  const auto raised = [&](double scale) { return power == 2 ? scale * scale : std::abs(scale); };
  if (how.scales.size() == 1) return raised(how.scales[0]);
  if (how.axis == axis) return raised(how.scales[index]);
  double sum = 0;
  for (double scale : how.scales) sum += raised(scale);
  return sum / static_cast<double>(how.scales.size());
}

tensor::Tensor dequantised(const tensor::Tensor& tensor, const Quantisation& how) {
  std::vector<double> values(static_cast<std::size_t>(tensor.elements()));
  std::int64_t inner = 1;
  for (std::size_t k = how.axis + 1; k < tensor.shape.size(); ++k) inner *= tensor.shape[k];
  const auto pick = [&](const std::vector<double>& list, std::int64_t i, double fallback) {
    if (list.size() < 2) return list.empty() ? fallback : list[0];
    return list[static_cast<std::size_t>(i / inner % tensor.shape[how.axis])];
  };
  for (std::int64_t i = 0; i < tensor.elements(); ++i)
    values[static_cast<std::size_t>(i)] =
        (tensor::element_as_double(tensor, i) - pick(how.zero.values, i, 0)) * pick(how.scales, i, 1);
  return tensor::from_doubles(tensor::DType::float64, tensor.shape, values);
}

}  // namespace coppice::importance
