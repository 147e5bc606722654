#include "coppice/base/at.hpp"
#include "coppice/pruning/prepare.hpp"

#include "pruning/kept_extents.hpp"

namespace coppice::pruning {
namespace {

using graph::ValueId;

std::int64_t elements(const Prepared& prepared, ValueId value, KeptExtents& kept) {
  const auto axes = prepared.couplings.axes(value);
  if (axes.empty()) return prepared.model.graph.constant(value)->elements();
  std::int64_t out = 1;
  for (const coupling::Axis& axis : axes) out *= kept.axis(axis);
  return out;
}

void shrink(const Prepared& prepared, ValueId value, KeptExtents& kept, graph::Fact& fact) {
  const auto axes = prepared.couplings.axes(value);
  if (axes.size() != fact.shape.size()) return;
  for (std::size_t k = 0; k < axes.size(); ++k) fact.shape[k] = kept.scaled(fact.shape[k], axes[k]);
}

double node_macs(const Prepared& prepared, const graph::Node& node, KeptExtents& kept) {
  const graph::OpDef* def = graph::find_op(node.domain, node.op);
  if (!def || !def->macs) return 0;
  static const graph::Fact empty;
  std::vector<graph::Fact> facts;
  facts.reserve(node.inputs.size() + node.outputs.size());
  std::vector<const graph::Fact*> in, out;
  const auto add = [&](ValueId value, std::vector<const graph::Fact*>& list) {
    if (value == graph::no_value) {
      list.push_back(&empty);
      return;
    }
    facts.push_back(prepared.counting[at(value)]);
    shrink(prepared, value, kept, facts.back());
    list.push_back(&facts.back());
  };
  for (ValueId value : node.inputs) add(value, in);
  for (ValueId value : node.outputs) add(value, out);
  return def->macs(node, in, out);
}

}  // namespace

Count count(const Prepared& prepared, std::span<const std::uint8_t> removed) {
  KeptExtents kept(prepared.couplings, removed);
  Count out;
  for (std::size_t v = 0; v < prepared.roles.size(); ++v)
    if (graph::is_parameter(prepared.roles[v])) out.parameters += elements(prepared, static_cast<ValueId>(v), kept);
  for (const graph::Node& node : prepared.model.graph.nodes) out.macs += node_macs(prepared, node, kept);
  return out;
}

double reach(const Prepared& prepared) {
  const coupling::Couplings& couplings = prepared.couplings;
  std::vector<std::uint8_t> removable(couplings.units().size(), 0);
  for (const coupling::Group& group : couplings.groups())
    if (group.units.size() > 1)
      for (std::int32_t unit : group.units) removable[at(unit)] = 1;
  KeptExtents stuck(couplings, removable), all(couplings, {});
  std::int64_t total = 0, fixed = 0;
  for (std::size_t v = 0; v < prepared.roles.size(); ++v) {
    if (!graph::is_parameter(prepared.roles[v])) continue;
    total += elements(prepared, static_cast<ValueId>(v), all);
    fixed += elements(prepared, static_cast<ValueId>(v), stuck);
  }
  return total == 0 ? 0.0 : static_cast<double>(total - fixed) / static_cast<double>(total);
}

}  // namespace coppice::pruning
