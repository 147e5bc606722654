#include "coppice/importance/scores.hpp"

#include <map>

#include "importance/site_sums.hpp"

namespace coppice::importance {
namespace {

using coupling::Site;

std::size_t at(std::int32_t i) {
  return static_cast<std::size_t>(i);
}

// The unit of every index of an axis, one list a factor of the axis: an index belongs to one unit of each.
class Owners {
 public:
  Owners(const coupling::Couplings& couplings, const coupling::Axis& axis) {
    std::int64_t inner = 1;
    const auto factors = couplings.factors(axis);
    for (std::size_t f = factors.size(); f-- > 0;) {
      if (factors[f].track != coupling::no_track)
        parts_.push_back({couplings.track(factors[f].track), inner, factors[f].length});
      inner *= factors[f].length;
    }
  }

  template <class Visit>
  void of(std::int64_t index, Visit visit) const {
    for (const Part& part : parts_) visit(part.units[static_cast<std::size_t>(index / part.inner % part.length)]);
  }

 private:
  struct Part {
    std::span<const std::int32_t> units;
    std::int64_t inner, length;
  };
  std::vector<Part> parts_;
};

class Scorer {
 public:
  Scorer(const graph::Graph& graph, const coupling::Couplings& couplings, std::span<const graph::Role> roles,
         const ScoreOptions& options, std::span<const std::uint8_t> removed)
      : graph_(graph),
        couplings_(couplings),
        roles_(roles),
        options_(options),
        removed_(removed),
        scores_(couplings.units().size(), 0),
        slot_(couplings.units().size(), -1) {}

  std::vector<double> run() {
    const auto groups = couplings_.groups();
    const bool measured = options_.criterion != Criterion::random;
    if (measured) measure();
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const auto units = left(groups[g]);
      if (units.size() < 2) continue;
      auto scores = measured ? reduced(groups[g], g, units) : drawn(groups[g], g);
      if (options_.criterion == Criterion::small_final)
        for (double& score : scores) score = -score;
      if (options_.criterion == Criterion::lamp) scores = normalize(Normalizer::lamp, scores);
      scores = normalize(options_.normalizer, scores);
      for (std::size_t i = 0; i < units.size(); ++i) scores_[at(units[i])] = scores[i];
    }
    return std::move(scores_);
  }

 private:
  bool gone(std::int32_t unit) const { return !removed_.empty() && removed_[at(unit)] != 0; }

  std::vector<std::int32_t> left(const coupling::Group& group) const {
    std::vector<std::int32_t> out;
    for (std::int32_t unit : group.units)
      if (!gone(unit)) out.push_back(unit);
    return out;
  }

  // Sums at all member sites of all groups, each site once.
  void measure() {
    const Readers readers(graph_, couplings_);
    const auto groups = couplings_.groups();
    std::map<std::pair<graph::ValueId, std::int32_t>, std::size_t> index;
    std::vector<Site> sites;
    places_.resize(groups.size());
    for (std::size_t g = 0; g < groups.size(); ++g) {
      if (groups[g].units.size() < 2) continue;
      for (const Site& site : members(groups[g], roles_, readers, options_.criterion)) {
        const auto [it, added] = index.try_emplace({site.constant, site.axis}, sites.size());
        if (added) sites.push_back(site);
        places_[g].push_back(it->second);
      }
    }
    sums_ = site_sums(graph_, couplings_, readers, sites, options_.criterion, removed_);
  }

  // Members x units, then one number a unit.
  std::vector<double> reduced(const coupling::Group& group, std::size_t g, std::span<const std::int32_t> units) {
    for (std::size_t i = 0; i < units.size(); ++i) slot_[at(units[i])] = static_cast<std::int32_t>(i);
    std::vector<double> matrix;
    std::size_t rows = 0;
    for (std::size_t place : places_[g]) {
      const SiteSums& site = sums_[place];
      if (site.sums.empty()) continue;  // not of a type that can be measured
      matrix.resize(++rows * units.size(), 0);
      double* row = matrix.data() + (rows - 1) * units.size();
      const Owners owners(couplings_, couplings_.axes(site.site.constant)[at(site.site.axis)]);
      for (std::size_t i = 0; i < site.sums.size(); ++i)
        owners.of(site.indices.empty() ? static_cast<std::int64_t>(i) : site.indices[i], [&](std::int32_t unit) {
          if (slot_[at(unit)] >= 0) row[slot_[at(unit)]] += site.sums[i];
        });
    }
    for (std::int32_t unit : group.units) slot_[at(unit)] = -1;
    return reduce(options_.reduction, matrix, rows, units.size());
  }

  // A unit's draw depends on its place in the group, so it stays the same while others go.
  std::vector<double> drawn(const coupling::Group& group, std::size_t g) const {
    std::vector<double> out;
    for (std::size_t i = 0; i < group.units.size(); ++i)
      if (!gone(group.units[i])) out.push_back(random_score(options_.seed, g, i));
    return out;
  }

  const graph::Graph& graph_;
  const coupling::Couplings& couplings_;
  std::span<const graph::Role> roles_;
  const ScoreOptions& options_;
  std::span<const std::uint8_t> removed_;
  std::vector<double> scores_;
  std::vector<std::int32_t> slot_;
  std::vector<std::vector<std::size_t>> places_;  // by group, into sums_
  std::vector<SiteSums> sums_;
};

}  // namespace

std::vector<double> unit_scores(const graph::Graph& graph, const coupling::Couplings& couplings,
                                std::span<const graph::Role> roles, const ScoreOptions& options,
                                std::span<const std::uint8_t> removed) {
  return Scorer(graph, couplings, roles, options, removed).run();
}

}  // namespace coppice::importance
