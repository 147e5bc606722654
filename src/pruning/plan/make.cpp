#include "coppice/pruning/plan.hpp"

#include "pruning/kept_extents.hpp"

namespace coppice::pruning {

Plan make_plan(const Prepared& prepared, std::span<const std::uint8_t> removed,
               std::map<std::string, std::string> options) {
  Plan out;
  out.fingerprint = fingerprint(prepared.model);
  out.model = outline(prepared.model);
  out.options = std::move(options);
  const coupling::Couplings& couplings = prepared.couplings;
  KeptExtents extents(couplings, removed);
  for (graph::ValueId constant : couplings.constants()) {
    const auto axes = couplings.axes(constant);
    for (std::size_t k = 0; k < axes.size(); ++k)
      if (extents.axis(axes[k]) != axes[k].length)
        out.cuts.push_back({std::string(prepared.model.graph.name_of(constant)), static_cast<std::int32_t>(k),
                            axes[k].length, couplings.kept(axes[k], removed)});
  }
  return out;
}

}  // namespace coppice::pruning
