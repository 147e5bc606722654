#include "analysis/zero_point.hpp"

#include <array>
#include <string_view>

namespace coppice::analysis {
namespace {

struct Reading {
  std::string_view op;
  std::size_t weight, zero_point;
  int axis;  ///< Of per-channel zero points in the weight; negative counts from the end.
};

constexpr std::array<Reading, 5> readings{{{"DequantizeLinear", 0, 2, 1},
                                           {"QLinearConv", 3, 5, 0},
                                           {"QLinearMatMul", 3, 5, -1},
                                           {"ConvInteger", 1, 3, 0},
                                           {"MatMulInteger", 1, 3, -1}}};

const Reading* reading_of(const graph::Node& node) {
  for (const Reading& reading : readings) {
    if (node.is(reading.op)) return &reading;
  }
  return nullptr;
}

}  // namespace

ZeroPoints::ZeroPoints(const graph::Graph& graph) : graph_(graph), reader_(graph.values.size(), -1) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Reading* reading = reading_of(graph.nodes[i]);
    if (!reading) continue;
    const graph::ValueId weight = graph.nodes[i].input(reading->weight);
    if (weight != graph::no_value) reader_[static_cast<std::size_t>(weight)] = static_cast<std::int32_t>(i);
  }
}

tensor::ZeroPoint ZeroPoints::of(graph::ValueId constant) const {
  const std::int32_t index = reader_[static_cast<std::size_t>(constant)];
  const tensor::Tensor* weight = graph_.constant(constant);
  if (index < 0 || !weight) return {};
  const graph::Node& node = graph_.nodes[static_cast<std::size_t>(index)];
  const Reading& reading = *reading_of(node);
  const graph::ValueId operand = node.input(reading.zero_point);
  const tensor::Tensor* points = operand == graph::no_value ? nullptr : graph_.constant(operand);
  if (!points || !(tensor::is_integer(points->dtype) || tensor::is_real(points->dtype))) return {};

  const auto rank = static_cast<std::int64_t>(weight->shape.size());
  std::int64_t axis = node.is("DequantizeLinear") ? node.int_or("axis", reading.axis) : reading.axis;
  if (axis < 0) axis += rank;
  const std::int64_t count = points->elements();
  const bool fits = axis >= 0 && axis < rank && weight->shape[static_cast<std::size_t>(axis)] == count;
  if (count != 1 && !fits) return {};  // Blocked quantisation: no one zero an axis.
  tensor::ZeroPoint out;
  for (std::int64_t i = 0; i < count; ++i) out.values.push_back(tensor::element_as_double(*points, i));
  if (count != 1) out.axis = static_cast<std::size_t>(axis);
  return out;
}

}  // namespace coppice::analysis
