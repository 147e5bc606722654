#include "coppice/coupling/couplings.hpp"

#include <algorithm>

namespace coppice::coupling {

std::span<const Axis> Couplings::axes(graph::ValueId value) const {
  if (value == graph::no_value) return {};
  const auto v = static_cast<std::size_t>(value);
  if (rank_[v] < 0) return {};
  return {pool_.data() + first_[v], static_cast<std::size_t>(rank_[v])};
}

std::vector<Factor> Couplings::factors(const Axis& axis) const {
  if (axis.factors >= 0) return lists_[static_cast<std::size_t>(axis.factors)];
  return {{axis.length, axis.track}};
}

std::int64_t Couplings::kept_count(const Axis& axis, std::span<const std::uint8_t> removed) const {
  const auto count = [&](const Factor& f) {
    if (f.track == no_track) return f.length;
    const auto units = track(f.track);
    return static_cast<std::int64_t>(std::count_if(
        units.begin(), units.end(), [&](std::int32_t u) { return removed[static_cast<std::size_t>(u)] == 0; }));
  };
  if (axis.factors < 0) return count({axis.length, axis.track});
  std::int64_t out = 1;
  for (const Factor& f : lists_[static_cast<std::size_t>(axis.factors)]) out *= count(f);
  return out;
}

std::vector<std::int64_t> Couplings::kept(const Axis& axis, std::span<const std::uint8_t> removed) const {
  std::vector<std::int64_t> out{0};
  for (const Factor& f : factors(axis)) {
    std::vector<std::int64_t> stay;
    for (std::int64_t i = 0; i < f.length; ++i)
      if (f.track == no_track || !removed[static_cast<std::size_t>(track(f.track)[static_cast<std::size_t>(i)])])
        stay.push_back(i);
    std::vector<std::int64_t> next;
    next.reserve(out.size() * stay.size());
    for (std::int64_t base : out)
      for (std::int64_t i : stay) next.push_back(base * f.length + i);
    out = std::move(next);
  }
  return out;
}

void Couplings::lock(std::span<const std::int32_t> which, Reason reason, std::int32_t node) {
  for (std::int32_t u : which) {
    Unit& unit = units_[static_cast<std::size_t>(u)];
    if (unit.locked) continue;
    unit.locked = true;
    unit.reason = reason;
    unit.node = node;
    if (unit.group < 0) continue;
    Group& group = groups_[static_cast<std::size_t>(unit.group)];
    std::erase(group.units, u);
    ++group.locked;
  }
}

}  // namespace coppice::coupling
