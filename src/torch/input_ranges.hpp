#pragma once
#include <cstdint>
#include <vector>

#include "coppice/graph/infer.hpp"
#include "coppice/graph/model.hpp"

namespace coppice {

/// What an input may hold for the model to run.
struct InputRange {
  std::int64_t low = 0, high = 2;     ///< Whole numbers in [low, high).
  bool index = false;                 ///< They select from a table; else they may mask, and must not mask everything.
  std::vector<std::int64_t> pattern;  ///< When not empty: these, repeated, and nothing else.
};

/// One per input that has no initializer, told by what reads it, in the world of `facts`.
std::vector<InputRange> input_ranges(const graph::Model& model, const graph::Facts& facts);

}  // namespace coppice
