#include <algorithm>
#include <numeric>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "coupling/state.hpp"

namespace coppice::coupling {
namespace {

struct PartView {
  std::size_t open = 0;  // distinct classes that may still be cut
  bool batch = false, avoid = false;
};

class Decider {
 public:
  Decider(State& state, bool batch_carries) : state_(state), batch_carries_(batch_carries) {}

  void run() {
    auto& grids = state_.grids();
    sweep([&](Grid& g) { return attention(g); });
    propagate();
    for (std::size_t i = 0; i < grids.size(); ++i) {
      if (grids[i].carrier >= 0) continue;
      if (!forced(grids[i])) by_size(grids[i]);
      propagate_after(i);
    }
  }

 private:
  template <class Decide>
  bool sweep(Decide decide) {
    bool changed = false;
    for (Grid& g : state_.grids())
      if (g.carrier < 0) changed = decide(g) || changed;
    return changed;
  }
  void propagate() {
    while (sweep([&](Grid& g) { return forced(g); })) {
    }
  }
  // What a free choice forces comes before the next one. Grids made close together share units; the window keeps the
  // whole decision linear in the number of grids.
  void propagate_after(std::size_t at) {
    auto& grids = state_.grids();
    const std::size_t end = std::min(grids.size(), at + 64);
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t i = at + 1; i < end; ++i)
        if (grids[i].carrier < 0) changed = forced(grids[i]) || changed;
    }
  }

  PartView view(TrackId track) {
    PartView out;
    seen_.clear();
    for (UnitId id : state_.ids(track)) {
      const std::int32_t root = state_.find(id);
      if (!seen_.insert(root).second) continue;
      if (!state_.locked(root)) ++out.open;
      out.batch = out.batch || state_.has(root, State::batch);
      out.avoid = out.avoid || state_.has(root, State::avoid);
    }
    return out;
  }

  void carry(Grid& g, std::size_t carrier) {
    g.carrier = static_cast<std::int32_t>(carrier);
    if (carrier < g.dims.size()) {
      std::size_t inner = 1;
      for (std::size_t i = carrier + 1; i < g.dims.size(); ++i) inner *= static_cast<std::size_t>(g.dims[i]);
      const auto whole = state_.ids(g.whole), part = state_.ids(g.parts[carrier]);
      for (std::size_t p = 0; p < whole.size(); ++p) state_.unite(whole[p], part[p / inner % part.size()]);
    } else {
      state_.lock_track(g.whole, Reason::split_factor, g.node);
    }
    for (std::size_t i = 0; i < g.parts.size(); ++i)
      if (i != carrier) state_.lock_track(g.parts[i], Reason::split_factor, g.node);
  }

  bool attention(Grid& g) {
    std::size_t found = 0, count = 0;
    for (std::size_t i = 0; i < g.parts.size(); ++i) {
      const PartView v = view(g.parts[i]);
      if (v.open == 0 || (batch_carries_ ? !v.batch : v.batch || !v.avoid)) continue;
      found = i;
      ++count;
    }
    if (count == 1) carry(g, found);
    return count == 1;
  }

  // One part left that may be cut, or one that still varies: nothing to choose.
  bool forced(Grid& g) {
    std::size_t open = 0, open_at = 0, varying = 0, varying_at = 0;
    for (std::size_t i = 0; i < g.parts.size(); ++i) {
      const PartView v = view(g.parts[i]);
      if (v.open == 0) continue;
      ++open;
      open_at = i;
      if (v.open == 1) continue;
      ++varying;
      varying_at = i;
    }
    if (open == 0 || state_.fully_locked(g.whole)) {
      carry(g, g.parts.size());
    } else if (open == 1 || varying == 1) {
      carry(g, varying == 1 ? varying_at : open_at);
    } else {
      return false;
    }
    return true;
  }

  void by_size(Grid& g) {
    std::size_t best = g.parts.size();
    std::tuple<bool, bool, std::size_t> best_rank;
    for (std::size_t i = 0; i < g.parts.size(); ++i) {
      const PartView v = view(g.parts[i]);
      if (v.open == 0) continue;
      const std::tuple rank(!collapses(g, i), !v.avoid, v.open);
      if (best != g.parts.size() && rank <= best_rank) continue;
      best = i;
      best_rank = rank;
    }
    carry(g, best);
  }

  // Whether all indices would become one unit if this part carried: the channels of a grouped convolution, say, where
  // those at one offset in every group are one already, cut by whole groups.
  bool collapses(Grid& g, std::size_t carrier) {
    const std::size_t length = static_cast<std::size_t>(g.dims[carrier]);
    std::size_t inner = 1, left = length;
    for (std::size_t i = carrier + 1; i < g.dims.size(); ++i) inner *= static_cast<std::size_t>(g.dims[i]);
    std::vector<std::size_t> parent(length);
    std::iota(parent.begin(), parent.end(), std::size_t{0});
    const auto find = [&](std::size_t i) {
      while (parent[i] != i) i = parent[i] = parent[parent[i]];
      return i;
    };
    std::unordered_map<std::int32_t, std::size_t> first;  // place in the part, by class of the whole
    const auto whole = state_.ids(g.whole);
    for (std::size_t p = 0; p < whole.size() && left > 1; ++p) {
      const std::size_t mine = find(p / inner % length);
      const std::size_t other = find(first.try_emplace(state_.find(whole[p]), mine).first->second);
      if (mine == other) continue;
      parent[mine] = other;
      --left;
    }
    return left == 1;
  }

  State& state_;
  bool batch_carries_;
  std::unordered_set<std::int32_t> seen_;
};

}  // namespace

void decide_grids(State& state, bool batch_carries) {
  Decider(state, batch_carries).run();
}

}  // namespace coppice::coupling
