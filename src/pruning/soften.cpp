#include "coppice/graph/quantisation.hpp"
#include "coppice/pruning/cut.hpp"

#include "pruning/inputs.hpp"
#include "pruning/waiting.hpp"
#include "pruning/zero_flow.hpp"

namespace coppice::pruning {
namespace {

struct Zeroing {
  tensor::Tensor dense;
  std::vector<std::size_t> axes;
  std::vector<std::vector<std::int64_t>> removed;
  tensor::ZeroPoint zero;

  tensor::Tensor run() const {
    std::vector<tensor::AxisIndices> indices;
    for (std::size_t i = 0; i < axes.size(); ++i) indices.push_back({axes[i], removed[i]});
    return tensor::zero_axes(dense, indices, zero);
  }
};

}  // namespace

graph::Model soften(const Prepared& prepared, std::span<const std::uint8_t> removed) {
  graph::Model out = zeroed(prepared, removed);
  graph::retie(out.graph, prepared.untied);
  graph::restore_control_flow(out.graph, prepared.regions);
  list_initializers(out, prepared.model.graph);
  return out;
}

graph::Model zeroed(const Prepared& prepared, std::span<const std::uint8_t> removed) {
  graph::Model out = prepared.model;
  const ZeroFlow flow(prepared, removed);
  const auto consumers = prepared.model.graph.consumers();
  for (graph::ValueId value : prepared.couplings.constants()) {
    if (!flow.zeroable(value)) continue;
    const auto axes = prepared.couplings.axes(value);
    std::vector<std::vector<std::int64_t>> lists;
    std::vector<std::size_t> which;
    for (std::size_t k = 0; k < axes.size(); ++k) {
      if (!flow.is_cut(axes[k])) continue;
      const auto kept = prepared.couplings.kept(axes[k], removed);
      std::vector<std::int64_t> gone;
      for (std::int64_t i = 0, next = 0; i < axes[k].length; ++i) {
        if (next < static_cast<std::int64_t>(kept.size()) && kept[static_cast<std::size_t>(next)] == i)
          ++next;
        else
          gone.push_back(i);
      }
      which.push_back(k);
      lists.push_back(std::move(gone));
    }
    if (which.empty()) continue;
    const tensor::Tensor& dense = *out.graph.constant(value);
    Zeroing zeroing{dense, std::move(which), std::move(lists),
                    graph::quantisation(prepared.model.graph, consumers, value).zero};
    if (dense.bytes.size() >= waiting_from)
      out.graph.set_constant(
          value, {dense.dtype, dense.shape,
                  tensor::Bytes::later(dense.bytes.size(), [zeroing] { return zeroing.run().bytes; }), nullptr});
    else
      out.graph.set_constant(value, zeroing.run());
  }
  return out;
}

std::vector<Inexact> inexactness(const Prepared& prepared, std::span<const std::uint8_t> removed) {
  const ZeroFlow flow(prepared, removed);
  std::vector<Inexact> out;
  for (const coupling::Mix& mix : prepared.couplings.mixes()) {
    if (!flow.leaks(mix)) continue;
    static constexpr std::string_view how[] = {
        "a sum",         "a mean",     "a maximum",     "a minimum",       "a product", "an exponential sum",
        "a contraction", "statistics", "a value range", "an initial state"};
    const graph::Node& node = prepared.model.graph.nodes[static_cast<std::size_t>(mix.node)];
    out.push_back({mix.node, mix.how,
                   graph::describe(prepared.model.graph, node) + ": " + std::string(how[static_cast<int>(mix.how)]) +
                       " over removed units"});
  }
  return out;
}

void lock_inexact(Prepared& prepared) {
  // Pretend that everything that may go is gone; what leaks then may leak in some cut.
  auto& couplings = prepared.couplings;
  std::vector<std::uint8_t> removed(couplings.units().size(), 0);
  for (std::size_t u = 0; u < removed.size(); ++u) removed[u] = couplings.units()[u].locked ? 0 : 1;
  const ZeroFlow flow(prepared, removed);
  for (const coupling::Mix& mix : couplings.mixes()) {
    if (!flow.may_leak(mix)) continue;
    const graph::Node& node = prepared.model.graph.nodes[static_cast<std::size_t>(mix.node)];
    const auto axes = couplings.axes(node.input(static_cast<std::size_t>(mix.operand)));
    std::vector<std::int32_t> units;
    for (const coupling::Factor& f : couplings.factors(axes[static_cast<std::size_t>(mix.axis)])) {
      if (f.track == coupling::no_track) continue;
      const auto track = couplings.track(f.track);
      units.insert(units.end(), track.begin(), track.end());
    }
    couplings.lock(units, coupling::Reason::inexact, mix.node);
  }
}

}  // namespace coppice::pruning
