#include "torch/inplace/output_layers.hpp"

#include <algorithm>
#include <string_view>

#include "coppice/base/at.hpp"

namespace coppice::inplace {
namespace {

using graph::ValueId;

// "layer1.0.conv1.weight" is a parameter of layer1.0.conv1.
std::string owner_of(std::string_view parameter) {
  const std::size_t dot = parameter.rfind('.');
  return std::string(dot == std::string_view::npos ? parameter : parameter.substr(0, dot));
}

}  // namespace

std::vector<std::int32_t> units_of(const coupling::Couplings& couplings, const coupling::Axis& axis) {
  std::vector<std::int32_t> out;
  for (const coupling::Factor& factor : couplings.factors(axis)) {
    if (factor.track == coupling::no_track) continue;
    const auto track = couplings.track(factor.track);
    out.insert(out.end(), track.begin(), track.end());
  }
  return out;
}

std::vector<std::string> output_layers(const pruning::Prepared& prepared) {
  const graph::Graph& graph = prepared.model.graph;
  std::vector<std::string> out;
  for (const graph::Node& node : graph.nodes) {
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId value = node.inputs[i];
      if (value == graph::no_value || !prepared.couplings.constant(value)) continue;
      const auto axes = prepared.couplings.axes(value);
      const int axis = graph::output_axis(node, i, axes.size());
      if (axis < 0) continue;
      const auto units = units_of(prepared.couplings, axes[static_cast<std::size_t>(axis)]);
      const auto leaves = [&](std::int32_t unit) {
        const coupling::Unit& u = prepared.couplings.units()[at(unit)];
        return u.locked && u.reason == coupling::Reason::graph_output;
      };
      if (units.empty() || !std::all_of(units.begin(), units.end(), leaves)) continue;
      // The operand may be a transposed parameter; its name is that of the constant behind.
      ValueId constant = value;
      while (graph.values[at(constant)].producer >= 0) {
        const graph::Node& producer = graph.nodes[at(graph.values[at(constant)].producer)];
        if (producer.input(0) == graph::no_value) break;
        constant = producer.input(0);
      }
      const std::string name = owner_of(graph.name_of(constant));
      if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
    }
  }
  return out;
}

}  // namespace coppice::inplace
