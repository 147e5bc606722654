#pragma once
#include <functional>
#include <map>
#include <string>

#include "coppice/analysis/sensitivity.hpp"
#include "coppice/pruning/prepare.hpp"
#include "coppice/pruning/select.hpp"

namespace coppice::analysis {

/// Share of its units that a layer is to lose, by layer name: SelectOptions::layers, PruningRatio, `--layer`.
using LayerRatios = std::map<std::string, double>;

struct LayerRatioOptions {
  double least = 0, most = 0.9;  ///< No ratio is outside, in [0, 1).
  double gamma = 1;              ///< Above 1 spares the layers in the middle, below 1 those at the sensitive end.
};

/// From a row's drop d, among the smallest and the largest of all rows that were measured:
///     norm = (d - min) / (max - min),  ratio = least + (most - least) (1 - norm)^gamma + shift,
/// cut to [least, most]; norm is 0 where all drops are the same. Every name of a row gets the row's ratio; rows that
/// were not measured get none, and so stay whole. Throws Error for options out of range, and when nothing was measured.
LayerRatios layer_ratios(const Sensitivity& sensitivity, double shift, const LayerRatioOptions& options = {});

/// With the smallest shift at which `left`, the share of any cost that a model cut so still has (measured latency, for
/// one), is at most `keep`; it should not grow with the ratios. Throws Error when it never is.
LayerRatios layer_ratios(const Sensitivity& sensitivity, const std::function<double(const LayerRatios&)>& left,
                         double keep, const LayerRatioOptions& options = {});

/// With the smallest shift at which the model, cut by these ratios, meets select.target_macs and
/// select.target_parameters, counted on the cut itself; `round_to` and `min_units` are heeded. Rows whose units are
/// all locked in `prepared` get no ratio. Throws Error when a layer is not one of the model's, when there is no target,
/// and when it cannot be reached.
LayerRatios layer_ratios(const Sensitivity& sensitivity, const pruning::Prepared& prepared,
                         const pruning::SelectOptions& select, const LayerRatioOptions& options = {});

}  // namespace coppice::analysis
