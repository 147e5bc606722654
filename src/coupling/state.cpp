#include "coupling/state.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace coppice::coupling {

std::int32_t State::find(UnitId unit) {
  while (parent_[index(unit)] != unit) {
    parent_[index(unit)] = parent_[index(parent_[index(unit)])];
    unit = parent_[index(unit)];
  }
  return unit;
}

void State::unite(UnitId a, UnitId b) {
  a = find(a);
  b = find(b);
  if (a == b) return;
  // The smaller id stays the root: groups then come in the order of the file.
  if (b < a) std::swap(a, b);
  parent_[index(b)] = a;
  flags_[index(a)] = static_cast<std::uint8_t>(flags_[index(a)] | flags_[index(b)] | touched);
  const std::int32_t la = lock_[index(a)], lb = lock_[index(b)];
  lock_[index(a)] = la < 0 ? lb : lb < 0 ? la : std::min(la, lb);
}

void State::lock(UnitId unit, Reason reason, std::int32_t node) {
  std::int32_t& mark = lock_[index(find(unit))];
  if (mark >= 0) return;
  if (marks_.empty() || marks_.back().reason != reason || marks_.back().node != node) marks_.push_back({reason, node});
  mark = static_cast<std::int32_t>(marks_.size()) - 1;
}

TrackId State::fresh_track(std::int64_t length, std::uint8_t flags) {
  std::vector<UnitId> ids(static_cast<std::size_t>(length));
  std::iota(ids.begin(), ids.end(), static_cast<UnitId>(parent_.size()));
  parent_.insert(parent_.end(), ids.begin(), ids.end());
  flags_.insert(flags_.end(), ids.size(), flags);
  lock_.insert(lock_.end(), ids.size(), -1);
  return add_track(std::move(ids));
}

TrackId State::add_track(std::vector<UnitId> ids) {
  used_ += static_cast<std::int64_t>(ids.size());
  tracks_.push_back(std::move(ids));
  return static_cast<TrackId>(tracks_.size()) - 1;
}

Axis State::make_axis(std::span<const Factor> parts, Reason why) {
  Axis out = free_axis(1, why);
  std::vector<Factor> kept;
  bool tracked = false;
  for (const Factor& f : parts) {
    out.length *= f.length;
    if (f.length == 1 && f.track == no_track) continue;
    tracked = tracked || f.track != no_track;
    if (f.track == no_track && !kept.empty() && kept.back().track == no_track) {
      kept.back().length *= f.length;
    } else {
      kept.push_back(f);
    }
  }
  if (!tracked) return out;
  if (kept.size() == 1) {
    out.track = kept[0].track;
    return out;
  }
  out.factors = static_cast<std::int32_t>(lists_.size());
  lists_.push_back(std::move(kept));
  return out;
}

void State::append_factors(const Axis& axis, std::vector<Factor>& out) const {
  if (axis.factors >= 0) {
    const auto& list = lists_[index(axis.factors)];
    out.insert(out.end(), list.begin(), list.end());
  } else {
    out.push_back({axis.length, axis.track});
  }
}

std::vector<Factor> State::factors(const Axis& axis) const {
  std::vector<Factor> out;
  append_factors(axis, out);
  return out;
}

void State::lock_track(TrackId track, Reason reason, std::int32_t node) {
  if (track == no_track) return;
  for (UnitId id : ids(track)) lock(id, reason, node);
}

void State::lock(const Axis& axis, Reason reason, std::int32_t node) {
  if (axis.factors >= 0) {
    for (const Factor& f : lists_[index(axis.factors)]) lock_track(f.track, reason, node);
  } else {
    lock_track(axis.track, reason, node);
  }
}

void State::flag(const Axis& axis, Flag which) {
  for (const Factor& f : factors(axis)) {
    if (f.track == no_track) continue;
    for (UnitId id : ids(f.track)) flag(id, which);
  }
}

bool State::fully_locked(TrackId track) {
  if (track == no_track) return true;
  const auto units = ids(track);
  return std::all_of(units.begin(), units.end(), [&](UnitId id) { return locked(id); });
}

bool State::untouched_replica(TrackId track) {
  if (track == no_track) return false;
  const auto units = ids(track);
  return std::all_of(units.begin(), units.end(), [&](UnitId id) { return has(id, replicated) && !has(id, touched); });
}

Axis State::meet(const Axis& a, const Axis& b, std::int32_t node) {
  if (!a.tracked() && !b.tracked()) return a;
  if (a.length != b.length) {
    lock(a, Reason::unknown_shape, node);
    lock(b, Reason::unknown_shape, node);
    return free_axis(a.length, Reason::unknown_shape);
  }
  if (!a.tracked()) {
    lock(b, a.why, node);
    return a;
  }
  if (!b.tracked()) {
    lock(a, b.why, node);
    return b;
  }
  if (a.factors < 0 && b.factors < 0) {
    if (a.track == b.track) return a;
    const auto x = ids(a.track), y = ids(b.track);
    for (std::size_t i = 0; i < x.size(); ++i) unite(x[i], y[i]);
    return a;
  }
  auto fa = factors(a), fb = factors(b);
  if (fa == fb) return a;
  std::vector<std::int64_t> bounds;
  for (const auto* list : {&fa, &fb}) {
    std::int64_t product = 1;
    for (std::size_t i = list->size(); i-- > 1;) bounds.push_back(product *= (*list)[i].length);
  }
  std::sort(bounds.begin(), bounds.end());
  bounds.erase(std::unique(bounds.begin(), bounds.end()), bounds.end());
  const auto ra = regroup(fa, bounds, node);
  const auto rb = ra.empty() ? ra : regroup(fb, bounds, node);
  if (ra.empty() || ra.size() != rb.size()) {
    const Axis x = flatten(a, node), y = flatten(b, node);
    return meet(x, y, node);  // both have one factor now
  }
  std::vector<Factor> out;
  for (std::size_t i = 0; i < ra.size(); ++i) {
    const Axis met =
        meet({.length = ra[i].length, .track = ra[i].track}, {.length = rb[i].length, .track = rb[i].track}, node);
    out.push_back({met.length, met.track});
  }
  return make_axis(out);
}

Axis State::select(const Axis& axis, std::span<const std::int64_t> indices, std::int32_t node) {
  const auto count = static_cast<std::int64_t>(indices.size());
  if (!axis.tracked()) return free_axis(count, axis.why);
  if (!std::all_of(indices.begin(), indices.end(), [&](std::int64_t i) { return i >= 0 && i < axis.length; })) {
    lock(axis, Reason::unknown_shape, node);
    return free_axis(count, Reason::unknown_shape);
  }
  const Axis flat = flatten(axis, node);
  if (!flat.tracked()) return free_axis(count, flat.why);
  if (!affordable(count)) {
    lock(flat, Reason::mixed_by_reshape, node);
    return free_axis(count);
  }
  const auto units = ids(flat.track);
  std::vector<UnitId> out;
  out.reserve(indices.size());
  for (std::int64_t i : indices) out.push_back(units[static_cast<std::size_t>(i)]);
  return track_axis(std::move(out));
}

Axis State::range(const Axis& axis, std::int64_t begin, std::int64_t end, std::int32_t node) {
  if (begin == 0 && end == axis.length) return axis;
  if (begin < 0 || end < begin || end > axis.length) {
    lock(axis, Reason::unknown_shape, node);
    return free_axis(0, Reason::unknown_shape);
  }
  if (!axis.tracked()) return free_axis(end - begin, axis.why);
  if (axis.factors >= 0 && axis.length > 0) {
    auto parts = factors(axis);
    const std::int64_t inner = axis.length / parts[0].length;
    if (begin % inner == 0 && end % inner == 0) {
      const Axis outer = range({.length = parts[0].length, .track = parts[0].track}, begin / inner, end / inner, node);
      parts[0] = {outer.length, outer.track};
      return make_axis(parts, axis.why);
    }
  }
  if (!affordable(axis.length, 2)) {
    lock(axis, Reason::mixed_by_reshape, node);
    return free_axis(end - begin);
  }
  std::vector<std::int64_t> indices(static_cast<std::size_t>(end - begin));
  std::iota(indices.begin(), indices.end(), begin);
  return select(axis, indices, node);
}

Axis State::concat(std::span<const Axis> axes, std::int32_t node) {
  if (axes.size() == 1) return axes[0];
  std::int64_t total = 0;
  bool tracked = false;
  for (const Axis& a : axes) {
    if (__builtin_add_overflow(total, a.length, &total)) total = std::numeric_limits<std::int64_t>::max();
    tracked = tracked || a.tracked();
  }
  if (!tracked) return free_axis(total, axes.empty() ? Reason::fixed_axis : axes[0].why);
  if (!affordable(total, 3)) {
    for (const Axis& a : axes) lock(a, Reason::mixed_by_reshape, node);
    return free_axis(total);
  }
  std::vector<UnitId> out;
  out.reserve(static_cast<std::size_t>(total));
  for (const Axis& a : axes) {
    Axis flat = flatten(a, node);
    if (!flat.tracked()) {
      flat = fresh_axis(a.length);
      lock(flat, a.why, node);
    }
    const auto units = ids(flat.track);
    out.insert(out.end(), units.begin(), units.end());
  }
  return track_axis(std::move(out));
}

}  // namespace coppice::coupling
