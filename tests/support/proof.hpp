#pragma once
#include <string>

#include "coppice/pruning/cut.hpp"

#include "support/ort_referee.hpp"
#include "support/scratch.hpp"

namespace coppice::test {

struct ProofOptions {
  RefereeOptions feeding;
  pruning::PrepareOptions prepare;
  /// Share of every group's units to remove, chosen at random.
  double ratio = 0.5;
  std::uint64_t seed = 1;
  double tolerance = 1e-4;
  /// A step of rounding may flip between twin and pruned model: they must agree for one of three inputs, not for each.
  bool quantised = false;
};

/// What came of pruning one model and asking ONNX Runtime.
struct Proof {
  std::string failure;  ///< Empty when the cut is proven, or when nothing could be pruned.
  bool nothing_to_prune = false;
  bool exact = false;  ///< The softened model equals the cut model too, and was compared.
  double reach = 0;
  std::int64_t parameters_before = 0, parameters_after = 0;
  double moved = 0;  ///< How far the twin's outputs are from the original's, relative.
};

/// Prunes a copy, writes original, twin, pruned (and for an exact cut the softened) model, and compares their outputs.
Proof prove(const graph::Model& model, const ProofOptions& options, const Scratch& scratch);

}  // namespace coppice::test
