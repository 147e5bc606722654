#pragma once
#include <cstdint>
#include <vector>

#include "coppice/coupling/reason.hpp"

namespace coppice::coupling {

/// A unit before merging; its class in the union-find is what lives and dies together.
using UnitId = std::int32_t;
/// A list of units, one per index.
using TrackId = std::int32_t;
inline constexpr TrackId no_track = -1;

/// A part of an axis: `length` indices, each with a unit when tracked.
struct Factor {
  std::int64_t length = 1;
  TrackId track = no_track;
  friend bool operator==(const Factor&, const Factor&) = default;
};

/// What is known of one axis of one value. An axis is a product of factors, outermost first: most axes have one;
/// merging axes (Flatten) makes several. An index is removed when any of its factors' units is removed.
struct Axis {
  std::int64_t length = 1;
  TrackId track = no_track;         ///< The only factor's track, when there is one factor.
  std::int32_t factors = -1;        ///< Index of the factor list, when there are several.
  Reason why = Reason::fixed_axis;  ///< Why a free axis cannot shrink.
  bool born = true;                 ///< False: an axis of a constant that no rule has mentioned yet.

  bool tracked() const { return track != no_track || factors >= 0; }
};

/// An axis of length L = prod(dims) with track `whole`, split into factors whose tracks are `parts`: index i has the
/// coordinates (c0, c1, ...) in row-major order. At most one part carries the cut, which is decided after the pass.
struct Grid {
  TrackId whole = no_track;
  std::vector<std::int64_t> dims;
  std::vector<TrackId> parts;
  std::int32_t node = -1;
  std::int32_t carrier = -1;  ///< -1: undecided; dims.size(): all locked.
};

/// How an operator combines the indices along an axis.
enum class Mixing : std::uint8_t {
  sum,          ///< ReduceSum, L1, L2, SumSquare: a zero contributes nothing.
  mean,         ///< Divides by the number of indices.
  max,          ///< The largest.
  min,          ///< The smallest.
  product,      ///< Multiplies.
  exponential,  ///< ReduceLogSumExp: a zero contributes exp(0).
  contraction,  ///< A product of two operands summed over the axis.
  statistics,   ///< Mean and variance, or root mean square.
  range,        ///< Smallest and largest of everything (DynamicQuantizeLinear): a zero changes nothing.
  state,        ///< A recurrent node's initial state: a zero stays zero.
};

/// An operator mixes the indices of an axis. `other` names the second operand of a contraction, or -1.
struct Mix {
  Mixing how = Mixing::sum;
  std::int32_t node = -1;
  std::int16_t operand = 0, axis = 0, other = -1, other_axis = -1;
};

}  // namespace coppice::coupling
