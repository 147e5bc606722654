#include "coppice/sparsity/sites.hpp"

#include <algorithm>
#include <optional>

#include "coppice/base/at.hpp"
#include "coppice/graph/parameters.hpp"

#include "pruning/layer_names.hpp"

namespace coppice::sparsity {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;

bool rearranges(const Node& node) {
  return node.is("Identity") || node.is("Cast") || node.is("Transpose") || node.is("DequantizeLinear");
}

/// A constant behind nodes that only rearrange it: axis i of the value is axis `order[i]` of the constant.
struct Origin {
  ValueId value;
  std::vector<std::size_t> order;
  bool quantised = false;
};

std::optional<Origin> origin(const Graph& graph, ValueId value) {
  std::vector<const Node*> path;
  bool quantised = false;
  while (value != graph::no_value && !graph.constant(value)) {
    const std::int32_t producer = graph.values[at(value)].producer;
    if (producer < 0) return std::nullopt;
    const Node& node = graph.nodes[at(producer)];
    if (!rearranges(node)) return std::nullopt;
    quantised = quantised || node.is("DequantizeLinear");
    path.push_back(&node);
    value = node.input(0);
  }
  if (value == graph::no_value) return std::nullopt;
  const std::size_t rank = graph.constant(value)->shape.size();
  Origin out{value, {}, quantised};
  for (std::size_t i = 0; i < rank; ++i) out.order.push_back(i);
  for (auto node = path.rbegin(); node != path.rend(); ++node) {
    if (!(*node)->is("Transpose")) continue;
    const auto given = (*node)->ints("perm");
    std::vector<std::size_t> turned;
    for (std::size_t i = 0; i < rank; ++i) {
      const std::size_t from = given.size() == rank ? static_cast<std::size_t>(given[i]) : rank - 1 - i;
      if (from >= rank) return std::nullopt;
      turned.push_back(out.order[from]);
    }
    out.order = std::move(turned);
  }
  return out;
}

bool is_convolution(const Node& node) {
  return node.op == "Conv" || node.op == "ConvTranspose" || node.op == "FusedConv" || node.op == "DeformConv";
}

bool is_layer(const Node& node) {
  return is_convolution(node) || node.op == "Gemm" || node.op == "FusedGemm" || node.op == "MatMul";
}

/// The axis that the sum of a product or convolution runs over.
int input_axis(const Node& node, int output_axis, int rank) {
  if (is_convolution(node)) return 1 - output_axis;
  return output_axis == rank - 1 ? rank - 2 : rank - 1;
}

std::string layer_name(const Graph& graph, const Node& node) {
  std::string path = pruning::module_path(node.name.empty() ? graph.name_of(node.output(0)) : node.name);
  const std::string suffix = "." + node.op;
  if (path.size() > suffix.size() && path.ends_with(suffix)) path.resize(path.size() - suffix.size());
  return path;
}

std::optional<Site> read_site(const Graph& graph, const std::vector<graph::Role>& roles, const Node& node,
                              std::size_t operand) {
  const auto from = origin(graph, node.input(operand));
  if (!from || roles[at(from->value)] != graph::Role::weight) return std::nullopt;
  const tensor::Tensor& tensor = *graph.constant(from->value);
  const int rank = static_cast<int>(tensor.shape.size()),
            output = graph::output_axis(node, operand, tensor.shape.size());
  if (output < 0 || tensor.elements() == 0) return std::nullopt;
  Site out;
  out.name = graph.name_of(from->value);
  out.layer = layer_name(graph, node);
  out.value = from->value;
  out.node = static_cast<std::size_t>(&node - graph.nodes.data());
  out.operand = operand;
  out.shape = tensor.shape;
  out.output_axis = from->order[static_cast<std::size_t>(output)];
  out.input_axis = from->order[static_cast<std::size_t>(input_axis(node, output, rank))];
  if (is_convolution(node)) out.kernel_axes.assign(from->order.begin() + 2, from->order.end());
  const std::int64_t groups = node.op == "ConvTranspose" ? node.int_or("group", 1) : 1;
  if (groups > 0 && out.shape[out.input_axis] % groups == 0) out.input_groups = groups;
  if (from->quantised || !tensor::is_real(tensor.dtype))
    out.obstacle = std::string(tensor::name(tensor.dtype)) + (from->quantised ? " weights, quantised" : " weights");
  return out;
}

std::string other_reader(const Graph& graph, const std::vector<std::vector<std::int32_t>>& consumers,
                         const Site& site) {
  std::vector<ValueId> open{site.value};
  while (!open.empty()) {
    const ValueId value = open.back();
    open.pop_back();
    for (const std::int32_t reader : consumers[at(value)]) {
      const Node& node = graph.nodes[at(reader)];
      if (rearranges(node))
        open.push_back(node.output(0));
      else if (at(reader) != site.node)
        return node.op + (node.name.empty() ? "" : " \"" + node.name + "\"");
    }
  }
  return "";
}

/// Marks the sites that outputs of the graph are reached from without another site between.
void mark_output_layers(const Graph& graph, const std::vector<std::int32_t>& site_of, std::vector<Site>& sites) {
  std::vector<ValueId> open = graph.outputs;
  std::vector<bool> seen(graph.values.size());
  while (!open.empty()) {
    const ValueId value = open.back();
    open.pop_back();
    if (value == graph::no_value || seen[at(value)]) continue;
    seen[at(value)] = true;
    const std::int32_t producer = graph.values[at(value)].producer;
    if (producer < 0) continue;
    if (site_of[at(producer)] >= 0) {
      sites[at(site_of[at(producer)])].output_layer = true;
      continue;
    }
    const Node& node = graph.nodes[at(producer)];
    open.insert(open.end(), node.inputs.begin(), node.inputs.end());
    for (const std::string& name : graph::captured_names(node)) open.push_back(graph.find(name));
  }
}

}  // namespace

std::vector<Site> find_sites(const Graph& graph) {
  const std::vector<graph::Role> roles = graph::constant_roles(graph);
  std::vector<Site> out;
  std::vector<std::int32_t> by_value(graph.values.size(), -1), by_node(graph.nodes.size(), -1);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (!is_layer(node)) continue;
    for (std::size_t operand = 0; operand < std::min<std::size_t>(2, node.inputs.size()); ++operand) {
      std::optional<Site> site = read_site(graph, roles, node, operand);
      if (!site) continue;
      std::int32_t& known = by_value[at(site->value)];
      if (known < 0) {
        known = static_cast<std::int32_t>(out.size());
        out.push_back(std::move(*site));
      }
      by_node[i] = known;
      break;
    }
  }
  mark_output_layers(graph, by_node, out);
  const std::vector<std::vector<std::int32_t>> consumers = graph.consumers();
  for (Site& site : out) site.other_reader = other_reader(graph, consumers, site);
  return out;
}

bool matches(const Site& site, std::string_view pattern) {
  return pruning::match_prefix(pattern, site.layer) || pruning::match_prefix(pattern, site.name);
}

}  // namespace coppice::sparsity
