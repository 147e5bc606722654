#include "coppice/graph/quantisation.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

#include "coppice/base/at.hpp"

namespace coppice::graph {
namespace {

// Operands of the scale and zero point that belong to an operand; -1: none.
struct Operands {
  int scale = -1, zero = -1;
  std::int64_t axis = 0;  // of one number an index; negative counts from the end
};

bool find_operands(const Node& node, std::size_t operand, Operands& out) {
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
std::vector<double> numbers(const Graph& graph, const Node& node, int operand, std::int64_t length) {
  if (operand < 0) return {};
  const Tensor* tensor = graph.constant(node.input(static_cast<std::size_t>(operand)));
  if (!tensor || tensor->shape.size() > 1) return {};
  const std::int64_t count = tensor->elements();
  if (count != 1 && count != length) return {};
  std::vector<double> out(static_cast<std::size_t>(count));
  for (std::int64_t i = 0; i < count; ++i) out[static_cast<std::size_t>(i)] = tensor::element_as_double(*tensor, i);
  return out;
}

// Where the axes of the constant went in a transposed view of it.
using Places = std::vector<std::size_t>;

std::optional<Quantisation> read_by(const Graph& graph, const Node& node, std::size_t operand, const Shape& shape,
                                    const Places& axes) {
  Operands where;
  if (!find_operands(node, operand, where)) return std::nullopt;
  const auto rank = static_cast<std::int64_t>(axes.size());
  const std::int64_t axis = where.axis < 0 ? where.axis + rank : where.axis;
  const bool on_axis = axis >= 0 && axis < rank;
  Quantisation out;
  out.axis = on_axis ? axes[static_cast<std::size_t>(axis)] : 0;
  const std::int64_t length = on_axis ? shape[out.axis] : 1;
  out.scales = numbers(graph, node, where.scale, length);
  out.zero = {numbers(graph, node, where.zero, length), out.axis};
  return out;
}

// The axes of a Transpose's result in those of the constant; nothing where it contradicts itself.
std::optional<Places> turned(const Node& node, const Places& axes) {
  const auto order = node.ints("perm");
  Places out;
  if (order.empty()) {
    out.assign(axes.rbegin(), axes.rend());
    return out;
  }
  for (std::int64_t k : order) {
    if (k < 0 || static_cast<std::size_t>(k) >= axes.size()) return std::nullopt;
    out.push_back(axes[static_cast<std::size_t>(k)]);
  }
  if (out.size() != axes.size()) return std::nullopt;
  return out;
}

}  // namespace

Quantisation quantisation(const Graph& graph, const std::vector<std::vector<std::int32_t>>& consumers,
                          ValueId constant) {
  const Tensor& tensor = *graph.constant(constant);
  if (tensor::is_real(tensor.dtype)) return {};
  Places axes(tensor.shape.size());
  std::iota(axes.begin(), axes.end(), std::size_t{0});
  std::vector<std::pair<ValueId, Places>> open{{constant, axes}};
  constexpr std::size_t most = 8;  // views of one constant
  for (std::size_t i = 0; i < open.size(); ++i) {
    const auto [value, places] = open[i];
    for (std::int32_t reader : consumers[at(value)]) {
      const Node& node = graph.nodes[at(reader)];
      for (std::size_t k = 0; k < node.inputs.size(); ++k) {
        if (node.inputs[k] != value) continue;
        if (auto found = read_by(graph, node, k, tensor.shape, places)) return *found;
      }
      if (!node.is("Transpose") || node.output(0) == no_value || open.size() == most) continue;
      if (auto next = turned(node, places)) open.emplace_back(node.output(0), std::move(*next));
    }
  }
  return {};
}

}  // namespace coppice::graph
