#pragma once
#include <cstddef>
#include <vector>

#include "coppice/graph/fact.hpp"

/// Arithmetic of multiply-accumulate counts, in doubles: counts may exceed 64 bits, and an unknown count is 0.
namespace coppice::graph::ops {

using FactList = std::vector<const Fact*>;

/// Product of the extents from axis `first` on; 0 when the shape is not complete or has no such axis.
inline double volume(const Fact& fact, std::size_t first = 0) {
  if (!fact.complete() || first > fact.rank()) return 0;
  double out = 1;
  for (std::size_t i = first; i < fact.rank(); ++i) out *= static_cast<double>(fact.shape[i]);
  return out;
}

/// Entry i of a list of facts, an empty one when it is absent.
inline const Fact& fact_at(const FactList& facts, std::size_t i) {
  static const Fact empty;
  return i < facts.size() && facts[i] ? *facts[i] : empty;
}

/// Extent of an axis as a double; 0 when unknown. Negative axes count from the end.
inline double extent_at(const Fact& fact, std::ptrdiff_t axis) {
  const auto rank = static_cast<std::ptrdiff_t>(fact.rank());
  if (!fact.ranked || axis >= rank || axis < -rank) return 0;
  const std::int64_t extent = fact.shape[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)];
  return extent < 0 ? 0 : static_cast<double>(extent);
}

}  // namespace coppice::graph::ops
