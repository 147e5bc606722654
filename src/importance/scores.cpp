#include "coppice/importance/scores.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"

#include "importance/site_sums.hpp"

namespace coppice::importance {
namespace {

using coupling::Site;

// Adds what every index of an axis contributes to the unit that owns it; an index of a merged axis belongs to one unit
// of each factor.
void add_to_owners(const coupling::Couplings& couplings, const SiteSums& site, std::span<double> by_unit) {
  const coupling::Axis& axis = couplings.axes(site.site.constant)[at(site.site.axis)];
  std::int64_t inner = axis.length;
  for (const coupling::Factor& factor : couplings.factors(axis)) {
    inner /= factor.length;
    if (factor.track == coupling::no_track) continue;
    const auto units = couplings.track(factor.track);
    const bool whole = axis.factors < 0;
    for (std::size_t i = 0; i < site.sums.size(); ++i) {
      const std::int64_t index = site.indices.empty() ? static_cast<std::int64_t>(i) : site.indices[i];
      by_unit[at(units[static_cast<std::size_t>(whole ? index : index / inner % factor.length)])] += site.sums[i];
    }
  }
}

void clear_owners(const coupling::Couplings& couplings, const SiteSums& site, std::span<double> by_unit) {
  for (const coupling::Factor& factor : couplings.factors(couplings.axes(site.site.constant)[at(site.site.axis)])) {
    if (factor.track == coupling::no_track) continue;
    for (std::int32_t unit : couplings.track(factor.track)) by_unit[at(unit)] = 0;
  }
}

class Scorer {
 public:
  Scorer(const graph::Graph& graph, const coupling::Couplings& couplings, std::span<const graph::Role> roles,
         const ScoreOptions& options, std::span<const std::uint8_t> removed)
      : graph_(graph), couplings_(couplings), roles_(roles), options_(options), removed_(removed) {
    scores_.units.resize(couplings.units().size(), 0);
  }

  UnitScores run() {
    const auto groups = couplings_.groups();
    const bool measured = options_.measure || options_.criterion != Criterion::random;
    for (const coupling::Group& group : groups) left_.push_back(left(group));
    if (measured) measure();
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const auto& units = left_[g];
      if (units.size() < 2) continue;
      if (measured && rows_[g] == 0) {
        scores_.unmeasured.push_back(static_cast<std::int32_t>(g));
        continue;
      }
      auto scores = measured ? reduce(options_.reduction, matrices_[g], rows_[g], units.size()) : drawn(groups[g], g);
      if (!options_.measure && options_.criterion == Criterion::small_final)
        for (double& score : scores) score = -score;
      if (!options_.measure && options_.criterion == Criterion::lamp) scores = normalize(Normalizer::lamp, scores);
      scores = normalize(options_.normalizer, scores);
      for (std::size_t i = 0; i < units.size(); ++i) scores_.units[at(units[i])] = scores[i];
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

  // Fills a matrix of members x units for every group; every site is summed once.
  void measure() {
    const Readers readers(graph_, couplings_);
    const auto groups = couplings_.groups();
    std::map<std::pair<graph::ValueId, std::int32_t>, std::size_t> index;
    std::vector<Site> sites;
    std::vector<std::vector<std::size_t>> users;  // groups of every site
    const Criterion which = options_.measure ? Criterion::large_final : options_.criterion;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      if (left_[g].size() < 2) continue;
      for (const Site& site : members(groups[g], roles_, readers, which)) {
        const auto [it, added] = index.try_emplace({site.constant, site.axis}, sites.size());
        if (added) {
          sites.push_back(site);
          users.emplace_back();
        }
        users[it->second].push_back(g);
      }
    }
    const auto sums = options_.measure ? given_sums(sites)
                                       : site_sums(graph_, couplings_, readers, sites, options_.criterion, removed_);
    matrices_.resize(groups.size());
    rows_.resize(groups.size(), 0);
    std::vector<double> by_unit(couplings_.units().size(), 0);
    for (const std::size_t s : file_order(sites)) {
      if (sums[s].sums.empty()) continue;  // not of a type that can be measured
      add_to_owners(couplings_, sums[s], by_unit);
      for (std::size_t g : users[s]) {
        ++rows_[g];
        for (std::int32_t unit : left_[g]) matrices_[g].push_back(by_unit[at(unit)]);
      }
      clear_owners(couplings_, sums[s], by_unit);
    }
  }

  std::vector<SiteSums> given_sums(std::span<const Site> sites) const {
    std::vector<SiteSums> out;
    for (const Site& site : sites) {
      out.push_back({site, {}, options_.measure(site)});
      const std::vector<double>& sums = out.back().sums;
      const auto length = static_cast<std::size_t>(couplings_.axes(site.constant)[at(site.axis)].length);
      const std::string where = "importance of \"" + std::string(graph_.name_of(site.constant)) + "\"";
      if (!sums.empty() && sums.size() != length)
        throw Error(where + ": expected " + std::to_string(length) + " numbers along axis " +
                    std::to_string(site.axis) + ", found " + std::to_string(sums.size()));
      const auto bad = std::find_if(sums.begin(), sums.end(), [](double sum) { return !std::isfinite(sum); });
      if (bad != sums.end())
        throw Error(where + ": expected finite numbers, found " + std::to_string(*bad) + " at index " +
                    std::to_string(bad - sums.begin()) + " of axis " + std::to_string(site.axis));
    }
    return out;
  }

  // The rows of a group's matrix stand in the order in which the group lists its members.
  std::vector<std::size_t> file_order(std::span<const Site> sites) const {
    std::vector<std::size_t> position(graph_.values.size(), 0), out(sites.size());
    const auto constants = couplings_.constants();
    for (std::size_t i = 0; i < constants.size(); ++i) position[at(constants[i])] = i;
    for (std::size_t s = 0; s < out.size(); ++s) out[s] = s;
    std::sort(out.begin(), out.end(), [&](std::size_t a, std::size_t b) {
      return std::pair(position[at(sites[a].constant)], sites[a].axis) <
             std::pair(position[at(sites[b].constant)], sites[b].axis);
    });
    return out;
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
  UnitScores scores_;
  std::vector<std::vector<std::int32_t>> left_;  // by group: units that are left
  std::vector<std::vector<double>> matrices_;    // by group: members x units
  std::vector<std::size_t> rows_;
};

}  // namespace

UnitScores unit_scores(const graph::Graph& graph, const coupling::Couplings& couplings,
                       std::span<const graph::Role> roles, const ScoreOptions& options,
                       std::span<const std::uint8_t> removed) {
  return Scorer(graph, couplings, roles, options, removed).run();
}

}  // namespace coppice::importance
