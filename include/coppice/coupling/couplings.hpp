#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "coppice/coupling/axis.hpp"
#include "coppice/coupling/reason.hpp"
#include "coppice/graph/infer.hpp"
#include "coppice/graph/model.hpp"

namespace coppice::coupling {

enum class Attention : std::uint8_t { heads, head_dim };

struct Options {
  Attention attention = Attention::heads;  ///< What of an attention layer's projections carries the cut.
  bool whole_groups = false;  ///< Grouped convolutions lose whole groups instead of the same offset in every group.
};

/// An axis of a constant, by the constant's name.
struct NamedAxis {
  std::string constant;
  std::int32_t axis = 0;
};

/// What the code that a graph was traced from asks of its constants. Names and axes that the graph does not have are
/// passed over.
struct Demands {
  std::vector<NamedAxis> fixed{};  ///< The code counts on their lengths.
  /// Lists of axes that shrink alike, because one number of the code tells the length of them all: units at equal
  /// indices become one. An axis that is several times as long as the shortest is that many stretches of its length,
  /// such as the gates of a recurrent layer.
  std::vector<std::vector<NamedAxis>> tied{};
};

/// One axis of one constant (initializer or Constant node's output).
struct Site {
  graph::ValueId constant = graph::no_value;
  std::int32_t axis = 0;
  friend bool operator==(const Site&, const Site&) = default;
};

/// Units (classes of the union-find) that live on the same set of sites.
struct Group {
  std::vector<std::int32_t> units;  ///< Units that may be cut, in order of appearance.
  std::int32_t locked = 0;          ///< Number of units on the same sites that must stay.
  std::vector<Site> sites;          ///< In file order.
};

struct Unit {
  std::int32_t group = -1;
  bool locked = false;
  Reason reason = Reason::fixed_axis;  ///< When locked.
  std::int32_t node = -1;              ///< The node that locks it, index into Graph::nodes; -1: none.
};

/// What lives and dies together in a model.
class Couplings {
 public:
  std::span<const Unit> units() const { return units_; }
  std::span<const Group> groups() const { return groups_; }
  /// Constants with at least one tracked axis, in file order.
  std::span<const graph::ValueId> constants() const { return constants_; }
  std::span<const Mix> mixes() const { return mixes_; }
  std::span<const Grid> grids() const { return grids_; }

  bool ranked(graph::ValueId value) const { return rank_[static_cast<std::size_t>(value)] >= 0; }
  /// Axes of a value; empty for no_value and when its shape is not known.
  std::span<const Axis> axes(graph::ValueId value) const;
  /// Factors of an axis, outermost first.
  std::vector<Factor> factors(const Axis& axis) const;
  /// The unit of every index of a track.
  std::span<const std::int32_t> track(TrackId id) const { return tracks_[static_cast<std::size_t>(id)]; }
  std::size_t track_count() const { return tracks_.size(); }
  bool constant(graph::ValueId value) const { return constant_[static_cast<std::size_t>(value)] != 0; }

  /// Indices of an axis that stay when the units with removed[unit] != 0 go.
  std::vector<std::int64_t> kept(const Axis& axis, std::span<const std::uint8_t> removed) const;
  /// Their number, without listing them.
  std::int64_t kept_count(const Axis& axis, std::span<const std::uint8_t> removed) const;

  /// Locks more units afterwards (user requests, failed rewrites); groups shrink accordingly.
  void lock(std::span<const std::int32_t> units, Reason reason, std::int32_t node);

 private:
  friend Couplings couple(const graph::Model&, const graph::Facts&, const Options&, const Demands&);
  std::vector<Unit> units_;
  std::vector<Group> groups_;
  std::vector<graph::ValueId> constants_;
  std::vector<Mix> mixes_;
  std::vector<Grid> grids_;
  std::vector<std::vector<std::int32_t>> tracks_;
  std::vector<std::vector<Factor>> lists_;
  std::vector<std::int32_t> rank_;
  std::vector<std::size_t> first_;
  std::vector<std::uint8_t> constant_;
  std::vector<Axis> pool_;
};

/// Analyses a prepared model (sorted, shared constants untied) on the facts of one world. Linear in nodes times
/// channels. Never fails on an operator it does not know: what that touches is locked.
Couplings couple(const graph::Model& model, const graph::Facts& facts, const Options& options,
                 const Demands& demands = {});

}  // namespace coppice::coupling
