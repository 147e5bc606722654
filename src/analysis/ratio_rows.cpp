#include "analysis/ratio_rows.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include "coppice/base/at.hpp"

#include "pruning/layers.hpp"

namespace coppice::analysis {
namespace {

using pruning::Layer;

class Rows {
 public:
  explicit Rows(const pruning::Prepared& prepared)
      : couplings_(prepared.couplings), layers_(prepared), parent_(couplings_.groups().size()) {
    std::iota(parent_.begin(), parent_.end(), 0);
    for (const Layer& layer : layers_.all()) {
      const auto groups = groups_of(layer);
      for (const std::int32_t group : groups) parent_[at(root(group))] = root(groups.front());
    }
  }

  std::vector<RatioRow> all() {
    std::vector<RatioRow> out;
    std::map<std::int32_t, std::size_t> places;
    for (const Layer& layer : layers_.all()) {
      if (!layer.weights) continue;
      const auto groups = groups_of(layer);
      if (groups.empty()) {
        out.push_back({{layer.names.front()}, {}, 0, std::string(explain(reason_of(layer)))});
        continue;
      }
      const auto [place, fresh] = places.try_emplace(root(groups.front()), out.size());
      if (fresh) out.push_back(row_of(groups.front()));
      if (std::string name = name_of(layer); !name.empty()) out[place->second].layers.push_back(std::move(name));
      if (fresh) first_names_.emplace(place->second, layer.names.front());
    }
    for (const auto& [place, name] : first_names_) finish(out[place], name);
    return out;
  }

 private:
  std::int32_t root(std::int32_t group) const {
    while (parent_[at(group)] != group) group = parent_[at(group)];
    return group;
  }

  std::vector<std::int32_t> groups_of(const Layer& layer) const {
    std::vector<std::int32_t> out;
    for (const std::int32_t unit : layer.units) {
      const coupling::Unit& u = couplings_.units()[at(unit)];
      if (!u.locked) out.push_back(u.group);
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
  }

  coupling::Reason reason_of(const Layer& layer) const { return couplings_.units()[at(layer.units.front())].reason; }

  RatioRow row_of(std::int32_t group) const {
    RatioRow out;
    for (std::size_t g = 0; g < parent_.size(); ++g) {
      const auto& units = couplings_.groups()[g].units;
      if (units.empty() || root(static_cast<std::int32_t>(g)) != root(group)) continue;
      out.groups.push_back(static_cast<std::int32_t>(g));
      out.units += static_cast<std::int64_t>(units.size());
    }
    return out;
  }

  // The first name of a layer that no other row's layer answers to; empty when there is none.
  std::string name_of(const Layer& layer) const {
    const std::int32_t own = root(groups_of(layer).front());
    for (const std::string& name : layer.names) {
      const auto matches = layers_.find(name);
      const bool alone = std::all_of(matches.begin(), matches.end(), [&](const pruning::Layers::Match& match) {
        const auto groups = groups_of(*match.layer);
        return std::all_of(groups.begin(), groups.end(), [&](std::int32_t group) { return root(group) == own; });
      });
      if (alone) return name;
    }
    return {};
  }

  void finish(RatioRow& row, const std::string& name) const {
    const bool divisible = std::any_of(row.groups.begin(), row.groups.end(), [&](std::int32_t group) {
      return couplings_.groups()[at(group)].units.size() > 1;
    });
    if (!divisible) row.reason = "one unit, and one must stay";
    if (!row.layers.empty()) return;
    row.layers.push_back(name);
    row.reason = "other layers answer to its names";
  }

  const coupling::Couplings& couplings_;
  pruning::Layers layers_;
  std::vector<std::int32_t> parent_;
  std::map<std::size_t, std::string> first_names_;
};

}  // namespace

std::vector<RatioRow> ratio_rows(const pruning::Prepared& prepared) {
  return Rows(prepared).all();
}

}  // namespace coppice::analysis
