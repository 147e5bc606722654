#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "coppice/pruning/find.hpp"
#include "coppice/pruning/prepare.hpp"
#include "coppice/torch/aten.hpp"

namespace coppice {

struct VerifyOptions {
  int samples = 3;  ///< Sets of random inputs, at least 1. A dynamic model runs once more, at other extents.
  std::uint64_t seed = 0;
  /// Extents of inputs by name, in place of `Prepared::worlds.counting`.
  std::vector<std::pair<std::string, graph::Shape>> shapes{};
  /// Largest error (see Verification::error) that counts as rounding. The same for 16-bit models: they are computed in
  /// single precision, with their own weights.
  double tolerance = 1e-4;
  /// Look at the pruned model's structure only: its weights may have been trained since, and are replaced by what
  /// cutting the original gives.
  bool structure_only = false;
  at::Device device = at::kCPU;
};

/// One output of the models, over all samples.
struct VerifiedOutput {
  std::string name;
  graph::Shape shape;  ///< In the first sample.
  double error = 0;    ///< As Verification::error.
  double moved = 0;    ///< As Verification::moved.
};

/// What came of comparing a pruned model with the original and its twin (pruning::twin).
struct Verification {
  bool passed = false;
  std::string why_not;  ///< One line; empty when passed.
  /// Largest over outputs and samples, and over both sets of weights where they were refilled, of
  ///     max|twin - pruned| / max|twin|    for real numbers (0 where both are zero),
  ///     share of elements that differ     for whole numbers and truth values.
  /// Infinite where shapes or types differ, or where only one of the two is a finite number. Of a model that rounds
  /// activations to quantised steps, the smallest over samples: a step may flip on some inputs, not on all.
  double error = 0;
  /// The same measure between the twin and the original: how far the cut moved the outputs. With the weights that
  /// count: the refilled ones where `refilled` says so.
  double moved = 0;
  bool exact = false;                ///< Zeroing the removed slices is enough: pruning::inexactness is empty.
  std::vector<std::string> inexact;  ///< Why not, one line each.
  double soft_error = 0;             ///< For exact cuts: the measure between the softened model and the pruned one.
  /// The original's outputs said nothing on its own weights: none moved by more than the tolerance. Then both models
  /// were compared with refilled weights as well (pruning::refill).
  bool refilled = false;
  bool structure_only = false;       ///< As asked.
  std::vector<std::string> changed;  ///< Constants of the pruned model that are not what cutting the original gives.
  int samples = 0;                   ///< Sets of inputs that ran.
  std::vector<VerifiedOutput> outputs;
};

/// Proves the cut of `removed` (by unit) from `original` to `pruned` by running both: the twin of the cut, in which
/// removed units are masked, must give the same outputs as the pruned model. Passes when every error is within the
/// tolerance, the weights are those of the original and, where something was removed, an output moves visibly. Inputs
/// are drawn at random: normal numbers; for whole numbers legal indices into the tables that they select from, else 0
/// and 1; legal operands where they shape the computation.
/// A pruned model that fails, or that does not even run, is told in the result. Throws Error when the original itself
/// does not run here, when an option makes no sense, or when `removed` is no cut of the original.
Verification verify(const pruning::Prepared& original, std::span<const std::uint8_t> removed,
                    const graph::Model& pruned, const VerifyOptions& options = {});

/// Which units went, where there is no plan that says so.
using pruning::find_removed;

}  // namespace coppice
