#pragma once
#include <cstdint>
#include <vector>

#include "coppice/analysis/layers.hpp"

namespace coppice::analysis {

/// A layer of one model beside its counterpart in another; -1 where there is none.
struct Pair {
  std::int32_t a = -1, b = -1;  ///< Indices into Layers::rows.
};

/// Pairs layers that have the same operator and name; of what is left between two such pairs, layers of the same
/// operator in their order (names that an exporter numbers differ from file to file). Every layer appears once; the
/// order is that of `a`, with what only `b` has where it stands.
std::vector<Pair> match(const Layers& a, const Layers& b);

/// Whether shape, parameters or MACs differ, or one side is missing.
bool differs(const Layers& a, const Layers& b, const Pair& pair);

}  // namespace coppice::analysis
