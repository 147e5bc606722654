#include "support/live_weights.hpp"

#include <cmath>
#include <random>
#include <vector>

#include "coppice/graph/parameters.hpp"

namespace coppice::support {
namespace {

// How many inputs each output of the weight adds up.
double fan_in(const graph::Graph& graph, const std::vector<std::vector<std::int32_t>>& consumers, graph::ValueId value,
              const tensor::Tensor& tensor) {
  for (std::int32_t reader : consumers[static_cast<std::size_t>(value)]) {
    const graph::Node& node = graph.nodes[static_cast<std::size_t>(reader)];
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] != value) continue;
      const int axis = graph::output_axis(node, i, tensor.shape.size());
      if (axis >= 0)
        return static_cast<double>(tensor.elements()) /
               static_cast<double>(tensor.shape[static_cast<std::size_t>(axis)]);
    }
  }
  return 1;
}

}  // namespace

void make_live(graph::Model& model, std::uint64_t seed) {
  graph::Graph& graph = model.graph;
  const auto roles = graph::constant_roles(graph);
  const auto consumers = graph.consumers();
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> positive(0.5, 1.5);
  for (std::size_t v = 0; v < graph.values.size(); ++v) {
    const auto id = static_cast<graph::ValueId>(v);
    const tensor::Tensor* tensor = graph.constant(id);
    if (!tensor || !tensor::is_real(tensor->dtype) || roles[v] == graph::Role::none) continue;
    std::vector<double> values(static_cast<std::size_t>(tensor->elements()));
    const double spread = std::sqrt(2.0 / fan_in(graph, consumers, id, *tensor));
    for (double& x : values) {
      switch (roles[v]) {
        case graph::Role::weight:
          x = spread * normal(engine);
          break;
        case graph::Role::bias:
          x = 0.2 * normal(engine);
          break;
        default:
          x = positive(engine);
          break;
      }
    }
    graph.set_constant(id, tensor::from_doubles(tensor->dtype, tensor->shape, values));
  }
}

}  // namespace coppice::support
