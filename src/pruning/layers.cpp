#include "pruning/layers.hpp"

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/base/nearest.hpp"

#include "pruning/layer_names.hpp"

namespace coppice::pruning {
namespace {

using graph::ValueId;

class Reading {
 public:
  explicit Reading(const Prepared& prepared) : prepared_(prepared), graph_(prepared.model.graph) {}

  Layer read(std::int32_t index) {
    const graph::Node& node = graph_.nodes[at(index)];
    Layer out{.node = index};
    out.names = node_names(node);
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId value = node.inputs[i];
      if (value == graph::no_value || !prepared_.couplings.constant(value)) continue;
      const auto axes = prepared_.couplings.axes(value);
      const int axis = graph::output_axis(node, i, axes.size());
      const bool parameter = name_parameters(value, out.names);
      if (axis >= 0) {
        if (!out.weights) out.units.clear();
        out.weights = true;
        add_units(axes[at(axis)], out.units);
      } else if (!out.weights && parameter) {
        for (const coupling::Axis& a : axes) add_units(a, out.units);
      }
    }
    std::sort(out.units.begin(), out.units.end());
    out.units.erase(std::unique(out.units.begin(), out.units.end()), out.units.end());
    return out;
  }

 private:
  std::vector<std::string> node_names(const graph::Node& node) const {
    const std::string name = node.name.empty() ? std::string(graph_.name_of(node.output(0))) : node.name;
    std::string path = module_path(name);
    std::vector<std::string> out;
    if (path.size() > node.op.size() && path.ends_with(node.op) && path[path.size() - node.op.size() - 1] == '.')
      out.push_back(path.substr(0, path.size() - node.op.size() - 1));
    out.push_back(std::move(path));
    if (out.back() != name) out.push_back(name);
    return out;
  }

  // Adds the names of the parameters that a constant is computed from; whether there are any.
  bool name_parameters(ValueId value, std::vector<std::string>& names) const {
    std::vector<ValueId> open{value};
    bool any = false;
    for (std::size_t i = 0; i < open.size() && open.size() < 64; ++i) {
      const graph::Value& v = graph_.values[at(open[i])];
      if (graph_.constant(open[i])) {
        if (!graph::is_parameter(prepared_.roles[at(open[i])])) continue;
        any = true;
        names.push_back(v.name);
        if (v.name.find('/') != std::string::npos) names.push_back(module_path(v.name));
      } else if (v.producer >= 0) {
        for (ValueId input : graph_.nodes[at(v.producer)].inputs)
          if (input != graph::no_value) open.push_back(input);
      }
    }
    return any;
  }

  void add_units(const coupling::Axis& axis, std::vector<std::int32_t>& units) const {
    if (!axis.tracked()) return;
    for (const coupling::Factor& factor : prepared_.couplings.factors(axis)) {
      if (factor.track == coupling::no_track) continue;
      const auto track = prepared_.couplings.track(factor.track);
      units.insert(units.end(), track.begin(), track.end());
    }
  }

  const Prepared& prepared_;
  const graph::Graph& graph_;
};

std::optional<std::size_t> match(const Layer& layer, std::string_view pattern, std::string_view path) {
  std::optional<std::size_t> best;
  for (const std::string& name : layer.names) {
    auto length = match_prefix(pattern, name);
    if (!length && path != pattern) length = match_prefix(path, name);
    if (length) best = std::max(best.value_or(0), *length);
  }
  return best;
}

}  // namespace

Layers::Layers(const Prepared& prepared) {
  Reading reading(prepared);
  for (std::size_t n = 0; n < prepared.model.graph.nodes.size(); ++n) {
    Layer layer = reading.read(static_cast<std::int32_t>(n));
    if (!layer.units.empty())
      layers_.push_back(std::move(layer));
    else
      bare_.insert(bare_.end(), layer.names.begin(), layer.names.end());
  }
}

std::vector<Layers::Match> Layers::find(std::string_view pattern) const {
  const std::string path = module_path(pattern);
  std::vector<Match> with, without;
  for (const Layer& layer : layers_)
    if (const auto length = match(layer, pattern, path)) (layer.weights ? with : without).push_back({&layer, *length});
  if (!with.empty()) return with;
  if (!without.empty()) return without;
  for (const std::string& name : bare_)
    if (match_prefix(pattern, name) || match_prefix(path, name))
      throw Error("layer \"" + std::string(pattern) +
                  "\": the node has no parameters of its own that could be cut; name the layer whose outputs it takes");
  std::vector<std::string_view> names;
  std::unordered_set<std::string_view> known;
  for (const Layer& layer : layers_) {
    // A part of a path may have been meant as well.
    const std::string_view name = layer.names[0];
    for (std::size_t end = 1; layer.weights && end <= name.size(); ++end)
      if ((end == name.size() || name[end] == '.') && known.insert(name.substr(0, end)).second)
        names.push_back(name.substr(0, end));
  }
  throw Error("layer \"" + std::string(pattern) +
              "\": no node or parameter of that name; nearest: " + base::nearest_list(path, names));
}

}  // namespace coppice::pruning
