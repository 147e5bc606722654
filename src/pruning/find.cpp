#include "coppice/pruning/find.hpp"

#include <map>
#include <optional>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/tensor/kernels.hpp"

#include "pruning/slices.hpp"

namespace coppice::pruning {
namespace {

using graph::Tensor;
using graph::ValueId;

enum class State : std::uint8_t { unknown, kept, removed };

// One factor of one axis.
struct Part {
  std::size_t axis = 0;
  std::int64_t length = 1;
  coupling::TrackId track = coupling::no_track;
  std::int64_t left = -1;  // indices that the pruned model has; -1: not known yet
};

// A constant before and after the cut.
struct Pair {
  ValueId constant = graph::no_value;
  const Tensor* before = nullptr;
  const Tensor* after = nullptr;
  std::vector<Part> parts;
  std::optional<std::size_t> open;  // the only part that is not known; with the slices along it:
  Slices old_slices, new_slices;
  bool strange = false;  // has slices that the original does not have
};

class Finder {
 public:
  Finder(const Prepared& original, const graph::Model& pruned)
      : p_(original), graph_(original.model.graph), states_(original.couplings.units().size(), State::unknown) {
    for (std::size_t u = 0; u < states_.size(); ++u)
      if (p_.couplings.units()[u].locked) states_[u] = State::kept;
    pair_up(pruned.graph);
  }

  std::vector<std::uint8_t> run() {
    do {
      for (changed_ = true; changed_;) {
        changed_ = false;
        for (Pair& pair : pairs_) look(pair);
      }
    } while (choose());
    std::vector<std::uint8_t> removed(states_.size());
    for (std::size_t u = 0; u < states_.size(); ++u) removed[u] = states_[u] == State::removed ? 1 : 0;
    return removed;
  }

 private:
  std::string place(const Pair& pair) const {
    return "parameter \"" + std::string(graph_.name_of(pair.constant)) + "\"";
  }

  void pair_up(const graph::Graph& pruned) {
    std::map<ValueId, std::vector<ValueId>> family;  // constants that may share one initializer, by each of them
    for (const graph::UntiedUse& use : p_.untied) family[use.original].push_back(use.copy);
    std::map<ValueId, ValueId> source;
    for (const graph::UntiedUse& use : p_.untied) source[use.copy] = use.original;
    const auto constant = [&](ValueId id) -> const Tensor* {
      const ValueId found = pruned.find(graph_.name_of(id));
      return found == graph::no_value ? nullptr : pruned.constant(found);
    };
    for (const ValueId id : p_.couplings.constants()) {
      Pair pair{.constant = id, .before = graph_.constant(id), .after = constant(id)};
      if (const auto it = source.find(id); !pair.after && it != source.end()) {
        std::vector<ValueId> candidates{it->second};
        candidates.insert(candidates.end(), family[it->second].begin(), family[it->second].end());
        int found = 0;
        for (const ValueId candidate : candidates)
          if (const Tensor* tensor = constant(candidate)) pair.after = tensor, ++found;
        if (found > 1) continue;  // there is no telling which
      }
      if (!pair.after || !pair.before || tensor::bit_width(pair.before->dtype) == 0) continue;
      check(pair);
      for (std::size_t k = 0; k < pair.before->shape.size(); ++k)
        for (const coupling::Factor& factor : p_.couplings.factors(p_.couplings.axes(id)[k]))
          pair.parts.push_back({k, factor.length, factor.track});
      pairs_.push_back(std::move(pair));
    }
  }

  void check(const Pair& pair) const {
    const Tensor &before = *pair.before, &after = *pair.after;
    const auto text = [](const Tensor& t) {
      return std::string(tensor::name(t.dtype)) + " " + tensor::to_string(t.shape);
    };
    bool fits = before.dtype == after.dtype && before.shape.size() == after.shape.size();
    for (std::size_t k = 0; fits && k < before.shape.size(); ++k) {
      const bool tracked = p_.couplings.axes(pair.constant)[k].tracked();
      fits = tracked ? after.shape[k] <= before.shape[k] : after.shape[k] == before.shape[k];
    }
    if (!fits)
      throw Error(place(pair) + ": no cut of the original's: expected a part of " + text(before) + ", found " +
                  text(after));
  }

  void mark(std::int32_t unit, State state) {
    if (states_[at(unit)] != State::unknown) return;
    states_[at(unit)] = state;
    changed_ = true;
  }

  struct Tally {
    std::int64_t kept = 0, unknown = 0;
  };
  Tally tally(const Part& part) const {
    Tally out;
    if (part.track == coupling::no_track) return {part.length, 0};
    for (const std::int32_t unit : p_.couplings.track(part.track)) {
      out.kept += states_[at(unit)] == State::kept;
      out.unknown += states_[at(unit)] == State::unknown;
    }
    return out;
  }

  // Draws what follows from one constant, with what is known by now.
  void look(Pair& pair) {
    if (pair.strange) return;
    for (Part& part : pair.parts)
      if (const Tally t = tally(part); t.unknown == 0) part.left = t.kept;
    for (std::size_t k = 0; k < pair.before->shape.size(); ++k) measure(pair, k);
    std::size_t unknown = 0, last = 0;
    for (std::size_t i = 0; i < pair.parts.size(); ++i) {
      if (tally(pair.parts[i]).unknown == 0) continue;
      if (pair.parts[i].left < 0) return;
      ++unknown;
      last = i;
    }
    if (unknown != 1) return;
    if (!pair.open) slice(pair, last);
    match(pair);
  }

  // Counts along one axis.
  void measure(Pair& pair, std::size_t axis) {
    std::int64_t known = 1;
    Part* open = nullptr;
    const bool whole = pair.after->shape[axis] == pair.before->shape[axis];
    for (Part& part : pair.parts) {
      if (part.axis != axis) continue;
      if (whole && part.left < 0) settle(part, part.length);
      if (part.left >= 0) {
        known *= part.left;
      } else if (open) {
        return;
      } else {
        open = &part;
      }
    }
    const std::int64_t extent = pair.after->shape[axis];
    if (!open) {
      if (known != extent) refuse_count(pair, axis, known);
      return;
    }
    if (known == 0 || extent % known != 0) refuse_count(pair, axis, known);
    settle(*open, extent / known);
    const Tally t = tally(*open);
    if (t.kept > open->left || t.kept + t.unknown < open->left) refuse_count(pair, axis, known * t.kept);
  }

  void settle(Part& part, std::int64_t left) {
    part.left = left;
    const Tally t = tally(part);
    if (t.unknown == 0 || (left != t.kept && left != t.kept + t.unknown)) return;
    for (const std::int32_t unit : p_.couplings.track(part.track))
      mark(unit, left == t.kept ? State::removed : State::kept);
  }

  [[noreturn]] void refuse_count(const Pair& pair, std::size_t axis, std::int64_t known) const {
    throw Error(place(pair) + " axis " + std::to_string(axis) + ": no cut of the original's: expected " +
                std::to_string(known) + " indices, or a multiple, as other parameters say, found " +
                std::to_string(pair.after->shape[axis]));
  }

  void slice(Pair& pair, std::size_t open) {
    pair.open = open;
    Tensor before = *pair.before, after = *pair.after;
    before.shape.clear();
    after.shape.clear();
    std::vector<std::vector<std::int64_t>> lists(pair.parts.size());
    std::vector<tensor::AxisIndices> gathered;
    for (std::size_t i = 0; i < pair.parts.size(); ++i) {
      const Part& part = pair.parts[i];
      before.shape.push_back(part.length);
      after.shape.push_back(part.left);
      if (i == open || part.left == part.length) continue;
      const auto units = p_.couplings.track(part.track);
      for (std::size_t c = 0; c < units.size(); ++c)
        if (states_[at(units[c])] == State::kept) lists[i].push_back(static_cast<std::int64_t>(c));
      gathered.push_back({i, lists[i]});
    }
    pair.old_slices = slices(gathered.empty() ? before : tensor::gather_axes(before, gathered), open);
    pair.new_slices = slices(after, open);
  }

  std::span<const std::int32_t> open_units(const Pair& pair) const {
    return p_.couplings.track(pair.parts[*pair.open].track);
  }

  // What the number of equal slices before and after tells.
  void match(Pair& pair) {
    struct Count {
      std::int64_t kept = 0, possible = 0, found = 0;
    };
    const auto units = open_units(pair);
    std::map<Slice, Count> counts;
    for (const Slice& s : pair.new_slices) ++counts[s].found;
    for (std::size_t i = 0; i < units.size(); ++i) {
      Count& c = counts[pair.old_slices[i]];
      c.kept += states_[at(units[i])] == State::kept;
      c.possible += states_[at(units[i])] != State::removed;
    }
    for (const auto& [key, c] : counts) {
      if (c.kept <= c.found && c.found <= c.possible) continue;
      pair.strange = true;
      return;
    }
    for (std::size_t i = 0; i < units.size(); ++i) {
      const Count& c = counts[pair.old_slices[i]];
      if (c.found == c.possible)
        mark(units[i], State::kept);
      else if (c.found == c.kept)
        mark(units[i], State::removed);
    }
  }

  // Where equal slices leave a choice, the lowest indices stay. False when nothing is open.
  bool choose() {
    const Pair *strange = nullptr, *open = nullptr;
    for (const Pair& pair : pairs_) {
      bool unknown = false;
      for (const Part& part : pair.parts) unknown = unknown || tally(part).unknown > 0;
      if (!unknown) continue;
      open = open ? open : &pair;
      if (pair.strange && !strange) strange = &pair;
    }
    if (!open) return false;
    if (strange)
      throw Error(place(*strange) +
                  ": no cut of the original's: found slices that the original does not have; a model that was trained "
                  "after the cut needs its plan");
    for (const Pair& pair : pairs_)
      if (pair.open && tally(pair.parts[*pair.open]).unknown > 0 && choose(pair)) return true;
    throw Error(place(*open) + ": its weights do not tell what was cut; the plan is needed");
  }

  bool choose(const Pair& pair) {
    const auto units = open_units(pair);
    std::map<std::int32_t, State> chosen;
    std::size_t next = 0;
    for (std::size_t i = 0; i < units.size(); ++i) {
      State state = states_[at(units[i])];
      if (const auto it = chosen.find(units[i]); it != chosen.end()) state = it->second;
      if (state == State::removed) continue;
      const bool same = next < pair.new_slices.size() && pair.new_slices[next] == pair.old_slices[i];
      if (state == State::kept && !same) return false;
      if (state == State::unknown) chosen[units[i]] = same ? State::kept : State::removed;
      next += same;
    }
    if (next != pair.new_slices.size()) return false;
    for (const auto& [unit, state] : chosen) mark(unit, state);
    return true;
  }

  const Prepared& p_;
  const graph::Graph& graph_;
  std::vector<State> states_;
  std::vector<Pair> pairs_;
  bool changed_ = false;
};

}  // namespace

std::vector<std::uint8_t> find_removed(const Prepared& original, const graph::Model& pruned) {
  return Finder(original, pruned).run();
}

}  // namespace coppice::pruning
