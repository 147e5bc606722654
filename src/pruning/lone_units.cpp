#include "pruning/lone_units.hpp"

#include <algorithm>
#include <vector>

#include "coppice/base/at.hpp"

#include "pruning/kept_extents.hpp"

namespace coppice::pruning {
namespace {

using graph::Node;
using graph::ValueId;

std::int64_t product(std::span<const coupling::Axis> axes, KeptExtents& kept) {
  std::int64_t out = 1;
  for (const coupling::Axis& axis : axes) out *= kept.axis(axis);
  return out;
}

/// Numbers that share a mean, and that the mean is subtracted from.
class Centred {
 public:
  explicit Centred(const Prepared& prepared) : p_(prepared), consumers_(prepared.model.graph.consumers()) {}

  /// 0 for nodes of other kinds.
  std::int64_t numbers(const Node& node, KeptExtents& kept) const {
    const auto axes = p_.couplings.axes(node.input(0));
    if (axes.empty()) return 0;
    if (node.op == "SkipLayerNormalization") return product(axes.last(1), kept);
    if (node.is("LayerNormalization")) return product(axes.subspan(first_axis(node, axes.size())), kept);
    // Written out: the mean, subtracted from what it was taken of.
    const std::int64_t left = node.is("ReduceMean") && subtracted(node) ? product(results(node), kept) : 0;
    return left > 0 ? product(axes, kept) / left : 0;
  }

 private:
  static std::size_t first_axis(const Node& node, std::size_t rank) {
    const std::int64_t axis = node.int_or("axis", -1), extent = static_cast<std::int64_t>(rank);
    return static_cast<std::size_t>(std::clamp<std::int64_t>(axis < 0 ? axis + extent : axis, 0, extent - 1));
  }
  std::span<const coupling::Axis> results(const Node& node) const { return p_.couplings.axes(node.output(0)); }
  bool subtracted(const Node& mean) const {
    const auto& readers = consumers_[at(mean.output(0))];
    return std::any_of(readers.begin(), readers.end(), [&](std::int32_t reader) {
      const Node& node = p_.model.graph.nodes[at(reader)];
      return node.is("Sub") && node.input(0) == mean.input(0) && node.input(1) == mean.output(0);
    });
  }

  const Prepared& p_;
  std::vector<std::vector<std::int32_t>> consumers_;
};

}  // namespace

std::string lone_units(const Prepared& prepared, std::span<const std::uint8_t> removed) {
  KeptExtents all(prepared.couplings, {}), kept(prepared.couplings, removed);
  const Centred centred(prepared);
  std::string out;
  std::size_t more = 0;
  for (const Node& node : prepared.model.graph.nodes) {
    if (node.inputs.empty() || node.outputs.empty()) continue;
    if (centred.numbers(node, kept) != 1 || centred.numbers(node, all) <= 1) continue;
    if (out.empty())
      out = describe(prepared.model.graph, node) + " is left with one unit: its output no longer depends on its input";
    else
      ++more;
  }
  if (more > 0) out += ", and so for " + std::to_string(more) + " more";
  return out;
}

}  // namespace coppice::pruning
