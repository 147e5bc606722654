#include "coppice/pruning/refill.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "coppice/base/at.hpp"

namespace coppice::pruning {
namespace {

using Consumers = std::vector<std::vector<std::int32_t>>;

// The axis of a weight that lists output channels, -1 where no reader tells; through transposition and the like.
int output_axis(const graph::Graph& graph, const Consumers& consumers, graph::ValueId value, std::size_t rank,
                int steps = 8) {
  if (steps == 0 || value == graph::no_value) return -1;
  for (const std::int32_t reader : consumers[at(value)]) {
    const graph::Node& node = graph.nodes[at(reader)];
    if (node.is("Transpose")) {
      const int axis = output_axis(graph, consumers, node.outputs[0], rank, steps - 1);
      const auto perm = node.ints("perm");
      if (axis < 0 || (!perm.empty() && perm.size() != rank)) continue;
      return perm.empty() ? static_cast<int>(rank) - 1 - axis : static_cast<int>(perm[at(axis)]);
    }
    if (node.is("Cast") || node.is("Identity")) return output_axis(graph, consumers, node.outputs[0], rank, steps - 1);
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
      if (node.inputs[i] == value && !node.is("Gather"))  // a lookup adds nothing up
        if (const int axis = graph::output_axis(node, i, rank); axis >= 0) return axis;
  }
  return -1;
}

// How many inputs each output of the weight adds up.
double fan_in(const graph::Graph& graph, const Consumers& consumers, graph::ValueId value,
              const tensor::Tensor& tensor) {
  const int axis = output_axis(graph, consumers, value, tensor.shape.size());
  if (axis < 0 || at(axis) >= tensor.shape.size() || tensor.shape[at(axis)] == 0) return 1;
  return static_cast<double>(tensor.elements()) / static_cast<double>(tensor.shape[at(axis)]);
}

// Scales belong to the whole numbers that they scale; structural operands shape the computation.
bool stays(const graph::Graph& graph, const Consumers& consumers, graph::ValueId value) {
  for (const std::int32_t reader : consumers[at(value)]) {
    const graph::Node& node = graph.nodes[at(reader)];
    if (node.op.find("Quant") != std::string::npos || node.op.starts_with("QLinear") ||
        node.op.find("Integer") != std::string::npos)
      return true;
    const graph::OpDef* def = graph::find_op(node.domain, node.op);
    for (std::size_t i = 0; def && i < std::min<std::size_t>(node.inputs.size(), 32); ++i)
      if (node.inputs[i] == value && (def->structural >> i & 1u) != 0) return true;
  }
  return false;
}

// A running mean is taken off and may have either sign; a variance may not.
bool is_mean(const graph::Graph& graph, const Consumers& consumers, graph::ValueId value) {
  return std::any_of(consumers[at(value)].begin(), consumers[at(value)].end(), [&](std::int32_t reader) {
    const graph::Node& node = graph.nodes[at(reader)];
    return node.is("BatchNormalization") && node.input(3) == value;
  });
}

}  // namespace

Prepared refill(Prepared prepared, std::uint64_t seed, Filling filling) {
  graph::Graph& graph = prepared.model.graph;
  const Consumers consumers = graph.consumers();
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> positive(0.5, 1.5);
  for (std::size_t v = 0; v < graph.values.size(); ++v) {
    const auto id = static_cast<graph::ValueId>(v);
    const tensor::Tensor* tensor = graph.constant(id);
    const graph::Role role = prepared.roles[v];
    if (!tensor || !tensor::is_real(tensor->dtype) || role == graph::Role::none || stays(graph, consumers, id))
      continue;
    std::vector<double> values(static_cast<std::size_t>(tensor->elements()));
    const double spread = std::sqrt(2 / fan_in(graph, consumers, id, *tensor));
    const bool centred = is_mean(graph, consumers, id);
    for (double& x : values) {
      if (role == graph::Role::weight)
        x = spread * normal(engine);
      else if (role == graph::Role::bias || centred)
        x = filling == Filling::fresh ? 0 : 0.2 * normal(engine);
      else
        x = filling == Filling::fresh ? 1 : positive(engine);
    }
    graph.set_constant(id, tensor::from_doubles(tensor->dtype, tensor->shape, values));
  }
  // Facts tell what small constants hold.
  std::vector<std::string> known;
  prepared.first = graph::infer_tolerant(prepared.model, graph, prepared.worlds.first, &known);
  if (prepared.worlds.dynamic) {
    prepared.second = graph::infer_tolerant(prepared.model, graph, prepared.worlds.second, &known);
    prepared.counting = graph::infer_tolerant(prepared.model, graph, prepared.worlds.counting, &known);
  } else {
    prepared.counting = prepared.first;
  }
  return prepared;
}

}  // namespace coppice::pruning
