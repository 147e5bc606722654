#include <algorithm>
#include <set>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/base/nearest.hpp"
#include "coppice/pruning/plan.hpp"

#include "pruning/kept_extents.hpp"

namespace coppice::pruning {
namespace {

std::string place(const PlanCut& cut) {
  return "plan: parameter \"" + cut.parameter + "\" axis " + std::to_string(cut.axis);
}

class Replay {
 public:
  Replay(const Prepared& prepared, const Plan& plan)
      : prepared_(prepared),
        graph_(prepared.model.graph),
        couplings_(prepared.couplings),
        plan_(plan),
        goes_(couplings_.units().size(), nullptr),
        stays_(couplings_.units().size(), nullptr) {}

  std::vector<std::uint8_t> run() {
    const std::string found = fingerprint(prepared_.model);
    std::vector<const coupling::Axis*> axes;
    for (const PlanCut& cut : plan_.cuts) axes.push_back(&axis_of(cut));
    if (found != plan_.fingerprint) throw Error("plan: made for another model: " + difference(found));
    for (std::size_t i = 0; i < axes.size(); ++i) vote(plan_.cuts[i], *axes[i]);
    std::vector<std::uint8_t> removed(goes_.size(), 0);
    for (std::size_t u = 0; u < goes_.size(); ++u) removed[u] = goes_[u] ? 1 : 0;
    check_constants(removed);
    check_values(removed);
    return removed;
  }

 private:
  // The first difference between what the plan was made for and this model, whose fingerprint is `found`.
  std::string difference(const std::string& found) const {
    for (const auto& [name, value] : outline(prepared_.model)) {
      const auto expected = plan_.model.find(name);
      if (expected != plan_.model.end() && expected->second != value)
        return name + ": expected " + expected->second + "; found " + value;
    }
    return "expected fingerprint " + plan_.fingerprint + ", found " + found +
           "; the same operators are connected, named or configured in another way";
  }

  const coupling::Axis& axis_of(const PlanCut& cut) {
    const graph::ValueId id = graph_.find(cut.parameter);
    if (id == graph::no_value || !graph_.constant(id)) {
      std::vector<std::string_view> names;
      for (graph::ValueId constant : couplings_.constants()) names.push_back(graph_.name_of(constant));
      throw Error("plan: made for another model: parameter \"" + cut.parameter +
                  "\": the model has none of that name; nearest: " + base::nearest_list(cut.parameter, names));
    }
    const auto axes = couplings_.axes(id);
    if (cut.axis < 0 || at(cut.axis) >= axes.size())
      throw Error(place(cut) + ": made for another model: the parameter has " + std::to_string(axes.size()) + " axes");
    const coupling::Axis& axis = axes[at(cut.axis)];
    if (axis.length != cut.length)
      throw Error(place(cut) + ": made for another model: expected length " + std::to_string(cut.length) + ", found " +
                  std::to_string(axis.length));
    if (!axis.tracked()) throw Error(place(cut) + ": cannot be cut: " + std::string(explain(axis.why)));
    if (!seen_.insert({id, cut.axis}).second) throw Error(place(cut) + ": expected once, found again");
    return axis;
  }

  // The units of the indices that a cut keeps stay, the others go.
  void vote(const PlanCut& cut, const coupling::Axis& axis) {
    std::int64_t inner = axis.length;
    for (const coupling::Factor& factor : couplings_.factors(axis)) {
      inner /= factor.length;
      if (factor.track == coupling::no_track) continue;
      const auto units = couplings_.track(factor.track);
      std::vector<std::uint8_t> kept(units.size(), 0);
      for (std::int64_t index : cut.kept) kept[static_cast<std::size_t>(index / inner % factor.length)] = 1;
      for (std::size_t c = 0; c < units.size(); ++c) {
        const std::size_t unit = at(units[c]);
        (kept[c] ? stays_ : goes_)[unit] = &cut;
        if (stays_[unit] && goes_[unit])
          throw Error(place(*goes_[unit]) + ": cuts only a part of a unit: the rest is kept by parameter \"" +
                      stays_[unit]->parameter + "\" axis " + std::to_string(stays_[unit]->axis));
        const coupling::Unit& u = couplings_.units()[unit];
        if (!kept[c] && u.locked) throw Error(place(cut) + ": cuts what must stay: " + std::string(explain(u.reason)));
      }
    }
  }

  // What the units make of every axis must be what the plan says of it.
  void check_constants(std::span<const std::uint8_t> removed) {
    std::map<std::pair<graph::ValueId, std::int32_t>, const PlanCut*> cuts;
    for (const PlanCut& cut : plan_.cuts) cuts[{graph_.find(cut.parameter), cut.axis}] = &cut;
    KeptExtents extents(couplings_, removed);
    for (graph::ValueId constant : couplings_.constants()) {
      const auto axes = couplings_.axes(constant);
      for (std::size_t k = 0; k < axes.size(); ++k) {
        const auto it = cuts.find({constant, static_cast<std::int32_t>(k)});
        const std::int64_t kept = extents.axis(axes[k]);
        const bool agrees =
            it == cuts.end() ? kept == axes[k].length : couplings_.kept(axes[k], removed) == it->second->kept;
        if (!agrees)
          throw Error(
              "plan: parameter \"" + std::string(graph_.name_of(constant)) + "\" axis " + std::to_string(k) +
              ": expected " + std::to_string(kept) + " indices kept, as the other cuts demand, found " +
              std::to_string(it == cuts.end() ? axes[k].length : static_cast<std::int64_t>(it->second->kept.size())));
      }
    }
  }

  void check_values(std::span<const std::uint8_t> removed) {
    KeptExtents extents(couplings_, removed);
    for (std::size_t v = 0; v < graph_.values.size(); ++v)
      for (const coupling::Axis& axis : couplings_.axes(static_cast<graph::ValueId>(v)))
        if (axis.length > 0 && extents.axis(axis) == 0)
          throw Error("plan: leaves nothing of an axis of value \"" + graph_.values[v].name + "\"");
  }

  const Prepared& prepared_;
  const graph::Graph& graph_;
  const coupling::Couplings& couplings_;
  const Plan& plan_;
  std::vector<const PlanCut*> goes_, stays_;  // by unit: the cut that says so
  std::set<std::pair<graph::ValueId, std::int32_t>> seen_;
};

}  // namespace

std::vector<std::uint8_t> removed_units(const Prepared& prepared, const Plan& plan) {
  return Replay(prepared, plan).run();
}

}  // namespace coppice::pruning
