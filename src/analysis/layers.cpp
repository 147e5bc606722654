#include "coppice/analysis/layers.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "coppice/base/at.hpp"
#include "coppice/graph/infer.hpp"
#include "coppice/graph/quantisation.hpp"
#include "coppice/tensor/kernels.hpp"

namespace coppice::analysis {
namespace {

/// What a node reads: its operands and what its subgraphs capture.
std::vector<graph::ValueId> reads(const graph::Graph& graph, const graph::Node& node) {
  std::vector<graph::ValueId> out;
  for (const graph::ValueId value : node.inputs) {
    if (value != graph::no_value) out.push_back(value);
  }
  for (const std::string& name : graph::captured_names(node)) {
    if (const graph::ValueId value = graph.find(name); value != graph::no_value) out.push_back(value);
  }
  return out;
}

/// Gives every parameter to the first node that computes an activation from it.
class Owners {
 public:
  explicit Owners(const pruning::Prepared& prepared)
      : prepared_(prepared), carried_(prepared.model.graph.values.size()) {
    const graph::Graph& graph = prepared.model.graph;
    for (std::size_t i = 0; i < graph.values.size(); ++i) {
      if (is_parameter(prepared.roles[i]) && graph.constant(static_cast<graph::ValueId>(i)))
        carried_[i] = {static_cast<graph::ValueId>(i)};
    }
  }

  /// The parameters that `node` is the first to use; empty for a node that only computes with constants.
  std::vector<graph::ValueId> take(const graph::Node& node) {
    std::vector<graph::ValueId> found;
    for (const graph::ValueId value : reads(prepared_.model.graph, node))
      found.insert(found.end(), carried_[at(value)].begin(), carried_[at(value)].end());
    if (constant(node)) {
      for (const graph::ValueId output : node.outputs) {
        // A parameter that a node brings itself (Constant) stays.
        if (output != graph::no_value && carried_[at(output)].empty()) carried_[at(output)] = found;
      }
      return {};
    }
    std::vector<graph::ValueId> out;
    for (const graph::ValueId value : found) {
      if (taken_.emplace(value, true).second) out.push_back(value);
    }
    return out;
  }

  bool constant(const graph::Node& node) const {
    return !node.outputs.empty() && std::all_of(node.outputs.begin(), node.outputs.end(), [&](graph::ValueId value) {
      return value == graph::no_value || prepared_.couplings.constant(value);
    });
  }

 private:
  const pruning::Prepared& prepared_;
  std::vector<std::vector<graph::ValueId>> carried_;
  std::map<graph::ValueId, bool> taken_;
};

using Consumers = std::vector<std::vector<std::int32_t>>;

// Zeros are counted where there are `consumers`.
TensorRow tensor_row(const pruning::Prepared& prepared, graph::ValueId value, const Consumers* consumers) {
  const graph::Graph& graph = prepared.model.graph;
  const tensor::Tensor& tensor = *graph.constant(value);
  TensorRow out{std::string(graph.name_of(value)), tensor.dtype, tensor.shape, prepared.roles[at(value)],
                tensor.elements()};
  if (consumers && tensor::has_magnitude(tensor.dtype))
    out.zeros = tensor::count_zeros(tensor, graph::quantisation(graph, *consumers, value).zero);
  return out;
}

LayerRow layer_row(const pruning::Prepared& prepared, std::int32_t index) {
  const graph::Graph& graph = prepared.model.graph;
  const graph::Node& node = graph.nodes[at(index)];
  const graph::ValueId output = node.output(0);
  LayerRow out;
  out.name = node.name.empty() ? std::string(graph.name_of(output)) : node.name;
  out.op = node.domain.empty() ? node.op : node.domain + "." + node.op;
  out.node = index;
  out.macs = graph::node_macs(graph, node, prepared.counting);
  if (output != graph::no_value) {
    const graph::Fact& fact = prepared.counting[at(output)];
    out.ranked = fact.ranked;
    if (fact.ranked) out.shape = fact.shape;
    out.dtype = fact.dtype;
  }
  return out;
}

// MACs are counted with a number in place of every extent that depends on data; it is not shown as an extent.
void open_data_extents(const pruning::Prepared& prepared, Layers& layers) {
  const graph::Graph& graph = prepared.model.graph;
  graph::World open = prepared.worlds.counting;
  layers.data_extent = std::exchange(open.data_extent, 0);
  const graph::Facts known = graph::infer_tolerant(prepared.model, graph, open, nullptr);
  for (LayerRow& row : layers.rows) {
    const graph::ValueId output = graph.nodes[at(row.node)].output(0);
    if (!row.ranked || output == graph::no_value) continue;
    const graph::Fact& fact = known[at(output)];
    if (fact.ranked && fact.shape.size() == row.shape.size())
      row.shape = fact.shape;
    else
      row.shape.assign(row.shape.size(), -1);
  }
}

// Elements of the parameters in the subgraphs of a graph's nodes, at any depth.
std::int64_t nested_parameters(const graph::Graph& graph) {
  std::int64_t out = 0;
  const auto add = [&out](const graph::GraphPtr& inner) {
    if (!inner) return;
    const std::vector<graph::Role> roles = graph::constant_roles(*inner);
    for (std::size_t i = 0; i < roles.size(); ++i) {
      const tensor::Tensor* tensor = is_parameter(roles[i]) ? inner->constant(static_cast<graph::ValueId>(i)) : nullptr;
      if (tensor) out += tensor->elements();
    }
    out += nested_parameters(*inner);
  };
  for (const graph::Node& node : graph.nodes) {
    for (const graph::Attribute& attribute : node.attributes) {
      if (const auto* one = std::get_if<graph::GraphPtr>(&attribute.value)) add(*one);
      if (const auto* all = std::get_if<std::vector<graph::GraphPtr>>(&attribute.value))
        std::for_each(all->begin(), all->end(), add);
    }
  }
  return out;
}

}  // namespace

Layers layers(const pruning::Prepared& prepared, Zeros zeros) {
  const graph::Graph& graph = prepared.model.graph;
  Layers out;
  std::vector<std::int32_t> position(graph.values.size(), -1);
  const Consumers consumers = graph.consumers();
  for (std::size_t i = 0; i < graph.values.size(); ++i) {
    const auto value = static_cast<graph::ValueId>(i);
    if (!is_parameter(prepared.roles[i]) || !graph.constant(value)) continue;
    position[i] = static_cast<std::int32_t>(out.tensors.size());
    out.tensors.push_back(tensor_row(prepared, value, zeros == Zeros::count ? &consumers : nullptr));
    out.parameters += out.tensors.back().elements;
  }
  out.in_control_flow = nested_parameters(graph);
  Owners owners(prepared);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const graph::Node& node = graph.nodes[i];
    const std::vector<graph::ValueId> owned = owners.take(node);
    if (owners.constant(node)) continue;
    LayerRow row = layer_row(prepared, static_cast<std::int32_t>(i));
    std::int64_t largest = 0;
    for (const graph::ValueId value : owned) {
      TensorRow& tensor = out.tensors[at(position[at(value)])];
      tensor.layer = static_cast<std::int32_t>(out.rows.size());
      row.parameters += tensor.elements;
      row.zeros += std::max<std::int64_t>(0, tensor.zeros);
      if (tensor.elements <= largest) continue;
      largest = tensor.elements;
      row.dtype = tensor.dtype;
    }
    out.macs += row.macs;
    out.rows.push_back(std::move(row));
  }
  if (prepared.counting.data_dependent) open_data_extents(prepared, out);
  return out;
}

tensor::DType main_dtype(const Layers& layers) {
  std::map<tensor::DType, std::int64_t> elements;
  for (const TensorRow& tensor : layers.tensors) elements[tensor.dtype] += tensor.elements;
  tensor::DType best = tensor::DType::undefined;
  std::int64_t most = 0;
  for (const auto& [dtype, count] : elements) {
    if (count <= most) continue;
    best = dtype;
    most = count;
  }
  return best;
}

std::string counted_extents(const pruning::Prepared& prepared) {
  const graph::Graph& graph = prepared.model.graph;
  std::string out;
  for (const auto& [name, shape] : prepared.worlds.counting.inputs) {
    const graph::ValueId id = graph.find(name);
    if (id == graph::no_value || shape.empty()) continue;
    const auto& declared = graph.values[at(id)].shape;
    const bool fixed = declared && std::all_of(declared->begin(), declared->end(),
                                               [](const graph::Dim& dim) { return dim.size >= 0; });
    if (!fixed) out.append(out.empty() ? "" : ", ").append(name).append(" ").append(tensor::to_string(shape));
  }
  return out;
}

std::string shape_text(const LayerRow& row) {
  if (!row.ranked) return "-";
  if (row.shape.empty()) return "scalar";
  std::string out;
  for (const std::int64_t extent : row.shape) {
    if (!out.empty()) out += 'x';
    out += extent < 0 ? "?" : std::to_string(extent);
  }
  return out;
}

}  // namespace coppice::analysis
