#include <algorithm>

#include "coupling/state.hpp"

namespace coppice::coupling {

std::vector<Factor> State::split(const Factor& factor, std::span<const std::int64_t> dims, std::int32_t node) {
  std::vector<Factor> out;
  if (factor.track == no_track || fully_locked(factor.track)) {
    for (std::int64_t d : dims) out.push_back({d, no_track});
    return out;
  }
  std::int64_t total = 0;
  for (std::int64_t d : dims) total += d;
  if (!affordable(total)) {
    lock_track(factor.track, Reason::mixed_by_reshape, node);
    for (std::int64_t d : dims) out.push_back({d, no_track});
    return out;
  }
  const auto key = std::make_pair(factor.track, std::vector<std::int64_t>(dims.begin(), dims.end()));
  const auto [it, added] = grid_index_.try_emplace(key, grids_.size());
  if (added) {
    Grid grid{.whole = factor.track, .dims = key.second, .parts = {}, .node = node};
    for (std::int64_t d : dims) grid.parts.push_back(fresh_track(d));
    grids_.push_back(std::move(grid));
  }
  const Grid& grid = grids_[it->second];
  for (std::size_t i = 0; i < dims.size(); ++i) out.push_back({dims[i], grid.parts[i]});
  return out;
}

// Cuts the factors of a block at the given cumulative products (counted from the inside, ascending, without 1 and the
// total), or gives an empty list, and makes no grid, when the ends do not divide.
std::vector<Factor> State::regroup(std::span<const Factor> block, std::span<const std::int64_t> bounds,
                                   std::int32_t node) {
  std::vector<std::vector<std::int64_t>> cuts(block.size());  // per factor, lengths from the inside
  std::int64_t inner = 1;
  for (std::size_t i = block.size(); i-- > 0;) {
    const std::int64_t outer = inner * block[i].length;
    std::int64_t last = inner;
    for (std::int64_t b : bounds) {
      if (b <= inner || b >= outer) continue;
      if (b % last != 0) return {};
      cuts[i].push_back(b / last);
      last = b;
    }
    if (outer % last != 0) return {};
    cuts[i].push_back(outer / last);
    inner = outer;
  }
  std::vector<Factor> out;
  for (std::size_t i = 0; i < block.size(); ++i) {
    if (cuts[i].size() == 1) {
      out.push_back(block[i]);
      continue;
    }
    std::reverse(cuts[i].begin(), cuts[i].end());
    const auto pieces = split(block[i], cuts[i], node);
    out.insert(out.end(), pieces.begin(), pieces.end());
  }
  return out;
}

Axis State::flatten(const Axis& axis, std::int32_t node) {
  if (axis.factors < 0) return axis;
  const std::vector<Factor> parts = lists_[index(axis.factors)];
  if (!affordable(axis.length, 3)) {
    lock(axis, Reason::mixed_by_reshape, node);
    return free_axis(axis.length);
  }
  std::size_t moving = 0, last = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (fully_locked(parts[i].track)) continue;
    ++moving;
    last = i;
  }
  if (moving == 0) return free_axis(axis.length);
  if (moving == 1) {
    std::int64_t inner = 1;
    for (std::size_t i = last + 1; i < parts.size(); ++i) inner *= parts[i].length;
    const auto units = ids(parts[last].track);
    std::vector<UnitId> flat(static_cast<std::size_t>(axis.length));
    for (std::size_t p = 0; p < flat.size(); ++p) flat[p] = units[p / static_cast<std::size_t>(inner) % units.size()];
    return track_axis(std::move(flat));
  }
  // Several factors may carry: a grid read the other way round, decided with the others after the pass.
  Grid grid{.whole = fresh_track(axis.length), .dims = {}, .parts = {}, .node = node};
  for (const Factor& f : parts) {
    grid.dims.push_back(f.length);
    TrackId part = f.track;
    if (part == no_track) {
      part = fresh_track(f.length);
      lock_track(part, Reason::fixed_axis, node);
    }
    grid.parts.push_back(part);
  }
  grids_.push_back(grid);
  return {.length = axis.length, .track = grid.whole};
}

std::vector<Axis> State::reshape(std::span<const Axis> in, std::span<const std::int64_t> out, std::int32_t node) {
  std::vector<Factor> all, dense;
  Reason why = Reason::fixed_axis;
  for (const Axis& a : in) {
    if (!a.tracked() && a.why == Reason::graph_input) why = a.why;
    append_factors(a, all);
  }
  for (Factor f : all) {
    if (untouched_replica(f.track)) {
      lock_track(f.track, Reason::split_factor, node);
      f.track = no_track;
    }
    if (f.length == 1) {
      // Its place in the new shape is ambiguous; the only unit of an axis stays anyway.
      lock_track(f.track, Reason::mixed_by_reshape, node);
      continue;
    }
    dense.push_back(f);
  }
  std::vector<Axis> result(out.size());
  for (std::size_t k = 0; k < out.size(); ++k) result[k] = free_axis(out[k], why);
  std::size_t i = 0, j = 0;
  while (i < dense.size()) {
    while (j < out.size() && out[j] == 1) ++j;
    // The smallest block of factors and output axes with equal products.
    std::size_t i_end = i + 1, j_end = j;
    std::int64_t left = dense[i].length, right = 1;
    while (left != right) {
      // A product beyond all numbers leaves the two unequal.
      if (left < right && i_end < dense.size()) {
        if (__builtin_mul_overflow(left, dense[i_end++].length, &left)) break;
      } else if (right < left && j_end < out.size()) {
        if (__builtin_mul_overflow(right, out[j_end++], &right)) break;
      } else {
        break;
      }
    }
    const std::span<const Factor> block(dense.data() + i, i_end - i);
    std::vector<std::int64_t> bounds;
    std::int64_t product = 1;
    for (std::size_t k = j_end; k-- > j + 1;) {
      if (out[k] != 1) bounds.push_back(product *= out[k]);
    }
    std::erase(bounds, right);
    const auto pieces = left == right ? regroup(block, bounds, node) : std::vector<Factor>{};
    if (pieces.empty()) {
      for (const Factor& f : block) lock_track(f.track, Reason::mixed_by_reshape, node);
    } else {
      std::size_t next = 0;
      for (std::size_t k = j; k < j_end; ++k) {
        std::vector<Factor> mine;
        for (std::int64_t filled = 1; filled < out[k]; filled *= mine.back().length) mine.push_back(pieces[next++]);
        if (!mine.empty()) result[k] = make_axis(mine, why);
      }
    }
    i = i_end;
    j = j_end;
  }
  return result;
}

}  // namespace coppice::coupling
