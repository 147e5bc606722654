#include "pruning/contest.hpp"

#include <algorithm>
#include <cmath>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/pruning/ratio.hpp"

namespace coppice::pruning {
namespace {

std::int64_t size(const std::vector<std::int32_t>& units) {
  return static_cast<std::int64_t>(units.size());
}

// Units of a contender on its own that stay.
std::int64_t target_keep(const Contender& contender, double ratio, double share) {
  return rounded_keep(contender, keep_count(size(contender.units), contender.ratio ? *contender.ratio * share : ratio));
}

// Units of a set that go.
std::int64_t share_of(std::int64_t total, double ratio) {
  return static_cast<std::int64_t>(std::floor(static_cast<double>(total) * ratio + 1e-9));
}

}  // namespace

Contest::Contest(const coupling::Couplings& couplings, std::span<const Contender> contenders,
                 std::span<const double> scores, std::vector<std::uint8_t> gone)
    : couplings_(couplings), contenders_(contenders), scores_(scores), gone_(std::move(gone)) {
  struct Entry {
    double score;
    std::size_t contender;
  };
  std::vector<std::vector<Entry>> sets;
  order_.resize(contenders.size());
  for (std::size_t c = 0; c < contenders.size(); ++c) {
    auto& order = order_[c];
    for (std::int32_t unit : contenders[c].units) {
      if (gone_[at(unit)]) continue;
      if (std::isnan(scores[at(unit)]))
        throw Error("scores: expected numbers, found none in group " + std::to_string(contenders[c].group) +
                    " (another reduction or normalizer may help)");
      order.push_back(unit);
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int32_t a, std::int32_t b) { return scores[at(a)] < scores[at(b)]; });
    if (contenders[c].set < 0) continue;
    if (at(contenders[c].set) >= sets.size()) sets.resize(at(contenders[c].set) + 1);
    for (std::int32_t unit : order) sets[at(contenders[c].set)].push_back({scores[at(unit)], c});
  }
  for (auto& set : sets) {
    std::stable_sort(set.begin(), set.end(), [](const Entry& a, const Entry& b) { return a.score < b.score; });
    sets_.emplace_back();
    for (const Entry& entry : set) sets_.back().push_back(entry.contender);
  }
}

std::int64_t rounded_keep(const Contender& contender, std::int64_t keep) {
  const std::int64_t units = size(contender.units), total = contender.locked + units;
  const std::int64_t least = std::min(contender.least, units);
  keep = std::clamp(keep, least, units);
  if (contender.multiple <= 1) return keep;
  std::int64_t width = round_to_multiple(contender.locked + keep, total, contender.multiple);
  while (width < total && width - contender.locked < least) width += contender.multiple;
  return std::min(width, total) - contender.locked;
}

std::vector<std::int64_t> units_asked(std::span<const Contender> contenders, double ratio, double share) {
  std::vector<std::int64_t> out, totals;
  for (const Contender& contender : contenders) {
    if (contender.set < 0) {
      out.push_back(size(contender.units) - target_keep(contender, ratio, share));
      continue;
    }
    if (at(contender.set) >= totals.size()) totals.resize(at(contender.set) + 1);
    totals[at(contender.set)] += size(contender.units);
  }
  for (const std::int64_t total : totals) out.push_back(share_of(total, ratio));
  return out;
}

// The lowest of all units of a set go, but a contender at its least sends the next candidates.
void Contest::rank_set(std::span<const std::size_t> order, double ratio, std::vector<std::int64_t>& drops) const {
  std::int64_t total = 0;
  std::vector<std::uint8_t> seen(contenders_.size(), 0);
  for (std::size_t c : order) {
    if (!seen[c]) total += size(contenders_[c].units);
    seen[c] = 1;
  }
  std::int64_t open = share_of(total, ratio);
  open -= total - static_cast<std::int64_t>(order.size());  // what earlier steps removed
  for (std::size_t c : order) {
    if (open <= 0) break;
    if (size(order_[c]) - drops[c] <= contenders_[c].least) continue;
    ++drops[c];
    --open;
  }
  for (std::size_t c = 0; c < seen.size(); ++c) {
    if (!seen[c]) continue;
    const std::int64_t left = size(order_[c]) - drops[c];
    drops[c] = std::max<std::int64_t>(0, size(order_[c]) - rounded_keep(contenders_[c], left));
  }
}

void Contest::give_back(std::vector<std::uint8_t>& removed) const {
  for (std::size_t t = 0; t < couplings_.track_count(); ++t) {
    const auto units = couplings_.track(static_cast<coupling::TrackId>(t));
    if (units.empty() || !std::all_of(units.begin(), units.end(), [&](std::int32_t u) { return removed[at(u)] != 0; }))
      continue;
    std::int32_t best = -1;
    for (std::int32_t unit : units)
      if (!gone_[at(unit)] && (best < 0 || scores_[at(unit)] > scores_[at(best)])) best = unit;
    if (best >= 0) removed[at(best)] = 0;
  }
}

std::vector<std::uint8_t> Contest::choose(double ratio, double share) const {
  std::vector<std::int64_t> drops(contenders_.size(), 0);
  for (std::size_t c = 0; c < contenders_.size(); ++c)
    if (contenders_[c].set < 0)
      drops[c] = std::max<std::int64_t>(0, size(order_[c]) - target_keep(contenders_[c], ratio, share));
  for (const auto& set : sets_) rank_set(set, ratio, drops);
  std::vector<std::uint8_t> removed = gone_;
  for (std::size_t c = 0; c < contenders_.size(); ++c)
    for (std::int64_t i = 0; i < drops[c]; ++i) removed[at(order_[c][static_cast<std::size_t>(i)])] = 1;
  give_back(removed);
  return removed;
}

}  // namespace coppice::pruning
