#pragma once
#include <vector>

#include "coppice/analysis/layer_ratios.hpp"
#include "coppice/analysis/sensitivity.hpp"
#include "coppice/base/progress.hpp"
#include "coppice/torch/pruner.hpp"
#include "coppice/train/evaluate.hpp"

namespace coppice {

using analysis::LayerRatioOptions;
using analysis::LayerRatios;
using analysis::Sensitivity;

struct SensitivityOptions {
  std::vector<double> ratios{0.1, 0.3, 0.5};  ///< Of a group's units; above 1 is percent.
  Metric metric = accuracy();                 ///< A loss is one too: {"loss", cross_entropy(), false}.
  /// Which units go, and what may: criterion, calibration, reduction, ignored layers, rounding, coupling, example
  /// inputs (nothing given: the first sample of the data). Amounts, steps, contexts and plans are not looked at.
  PrunerOptions pruning{};
  base::Progress* progress = nullptr;  ///< Told of every cut that was measured.
};

/// Cuts one group of units at a time out of a module, evaluates what is left on `data`, and puts the units back. Every
/// value is that of the smaller module itself, so it is exact also where zeroed units would still count (in the
/// statistics of layer norms, say), and a smaller module is the quicker one to evaluate. Scores are taken once, of the
/// whole module. Calibration data that a criterion needs are `data` where none are given.
///
/// The module is as it was before when this returns, or throws: the same tensors with the same memory. Groups that
/// cannot be cut are rows without values, with the reason. Throws Error for ratios outside 0 to 1, as Pruner's
/// constructor does, and as evaluate() does.
Sensitivity measure_sensitivity(const Callable& model, const BatchSource& data, const SensitivityOptions& options = {});

}  // namespace coppice
