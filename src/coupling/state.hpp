#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <vector>

#include "coppice/coupling/axis.hpp"
#include "coppice/coupling/reason.hpp"

namespace coppice::coupling {

/// Why and where a class of units was locked first.
struct LockMark {
  Reason reason = Reason::fixed_axis;
  std::int32_t node = -1;  ///< -1: no node (graph output, user request).
};

/// Units, tracks, factor lists and grids: the algebra that the axis rules are written in.
class State {
 public:
  enum Flag : std::uint8_t {
    replicated = 1,  ///< Made by Expand from length one.
    touched = 2,     ///< Has met another unit.
    batch = 4,       ///< Batch axis of a product of two activations.
    avoid = 8,       ///< Contracted between activations, or statistics run over it.
    reaches = 16,    ///< On an axis of an activation.
  };

  /// At most about `budget` indices are followed; axes beyond that are free, so that a small hostile file stays cheap.
  explicit State(std::int64_t budget = std::int64_t{1} << 26) : budget_(budget) {}

  // -- units
  std::int32_t find(UnitId unit);
  void unite(UnitId a, UnitId b);
  void lock(UnitId unit, Reason reason, std::int32_t node);
  bool locked(UnitId unit) { return lock_[index(find(unit))] >= 0; }
  const LockMark* lock_of(UnitId unit) {
    const std::int32_t mark = lock_[index(find(unit))];
    return mark < 0 ? nullptr : &marks_[index(mark)];
  }
  void flag(UnitId unit, Flag which) {
    std::uint8_t& flags = flags_[index(find(unit))];
    flags = static_cast<std::uint8_t>(flags | which);
  }
  bool has(UnitId unit, Flag which) { return (flags_[index(find(unit))] & which) != 0; }
  std::size_t unit_count() const { return parent_.size(); }

  // -- tracks
  TrackId fresh_track(std::int64_t length, std::uint8_t flags = 0);
  TrackId add_track(std::vector<UnitId> ids);
  /// Empty for no_track.
  std::span<const UnitId> ids(TrackId track) const {
    return track < 0 ? std::span<const UnitId>() : std::span<const UnitId>(tracks_[index(track)]);
  }
  std::size_t track_count() const { return tracks_.size(); }

  // -- axes
  static Axis free_axis(std::int64_t length, Reason why = Reason::fixed_axis) {
    return {.length = length, .track = no_track, .factors = -1, .why = why, .born = true};
  }
  /// A new unit per index; free when there is no room for that many.
  Axis fresh_axis(std::int64_t length, std::uint8_t flags = 0) {
    if (!affordable(length)) return free_axis(length);
    return {.length = length, .track = fresh_track(length, flags)};
  }
  /// Whether `times` lists of that many indices may still be made.
  bool affordable(std::int64_t indices, std::int64_t times = 1) const { return indices <= (budget_ - used_) / times; }
  Axis track_axis(std::vector<UnitId> ids) {
    const auto length = static_cast<std::int64_t>(ids.size());
    return {.length = length, .track = add_track(std::move(ids))};
  }
  /// Outermost first; length-one free factors vanish.
  Axis make_axis(std::span<const Factor> factors, Reason why = Reason::fixed_axis);
  /// A single free factor for a free axis.
  std::vector<Factor> factors(const Axis& axis) const;
  void append_factors(const Axis& axis, std::vector<Factor>& out) const;

  void lock(const Axis& axis, Reason reason, std::int32_t node);
  void lock_track(TrackId track, Reason reason, std::int32_t node);
  void flag(const Axis& axis, Flag which);
  bool fully_locked(TrackId track);

  /// Two axes of equal length are indexed together: units at equal indices become one. A free axis locks the other;
  /// axes of different lengths, which a contradicting file can bring together, are both locked.
  Axis meet(const Axis& a, const Axis& b, std::int32_t node);
  /// One unit per index, so that any selection can be made; locks and gives a free axis when it would be too long.
  Axis flatten(const Axis& axis, std::int32_t node);
  /// Indices beyond the axis lock it, here and in range().
  Axis select(const Axis& axis, std::span<const std::int64_t> indices, std::int32_t node);
  Axis range(const Axis& axis, std::int64_t begin, std::int64_t end, std::int32_t node);
  Axis concat(std::span<const Axis> axes, std::int32_t node);
  /// Row-major regrouping of `in` into axes of lengths `out` (equal products).
  std::vector<Axis> reshape(std::span<const Axis> in, std::span<const std::int64_t> out, std::int32_t node);
  /// Splits a factor into factors of lengths `dims` (product = its length).
  std::vector<Factor> split(const Factor& factor, std::span<const std::int64_t> dims, std::int32_t node);

  std::vector<Grid>& grids() { return grids_; }

 private:
  static std::size_t index(std::int32_t i) { return static_cast<std::size_t>(i); }
  bool untouched_replica(TrackId track);
  std::vector<Factor> regroup(std::span<const Factor> block, std::span<const std::int64_t> bounds, std::int32_t node);

  std::int64_t budget_ = 0, used_ = 0;
  std::vector<std::int32_t> parent_;
  std::vector<std::uint8_t> flags_;
  std::vector<std::int32_t> lock_;
  std::vector<LockMark> marks_;
  std::deque<std::vector<UnitId>> tracks_;
  std::vector<std::vector<Factor>> lists_;
  std::vector<Grid> grids_;
  std::map<std::pair<TrackId, std::vector<std::int64_t>>, std::size_t> grid_index_;
};

/// Decides which factor of every grid carries the cut, and locks the others: attention heads first, then what is
/// forced, then the factor with the most distinct units that nothing is contracted or normalised over. `batch_carries`:
/// a batch axis of a product of activations carries (attention heads); otherwise the contracted factor does (head
/// dimension).
void decide_grids(State& state, bool batch_carries);

}  // namespace coppice::coupling
