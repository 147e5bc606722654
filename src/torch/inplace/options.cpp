#include "torch/inplace/options.hpp"

#include <utility>

#include "coppice/pruning/ratio.hpp"

namespace coppice {
PruningRatio::PruningRatio(double ratio) : whole_(pruning::share_of(ratio)) {}
PruningRatio::PruningRatio(const char* ratio) : whole_(pruning::parse_ratio(ratio)) {}
PruningRatio::PruningRatio(std::map<std::string, double> layers) : layers_(std::move(layers)) {
  for (auto& [name, ratio] : layers_) ratio = pruning::share_of(ratio);
}

namespace inplace {

pruning::SelectOptions select_options(const PrunerOptions& options) {
  pruning::SelectOptions out;
  out.ratio = options.pruning_ratio.whole();
  out.context = options.context;
  out.criterion = options.criterion.weights_only().value_or(importance::Criterion::large_final);
  out.reduction = options.reduction;
  out.normalizer = options.normalizer;
  for (const auto& [name, ratio] : options.pruning_ratio.layers()) out.layers.emplace_back(name, ratio);
  for (const auto& [name, ratio] : options.layer_ratios) out.layers.emplace_back(name, pruning::share_of(ratio));
  out.ignore = options.ignored_layers;
  out.round_to = options.round_to;
  out.min_units = options.min_units;
  out.steps = options.iterative_steps;
  out.schedule = options.schedule;
  out.target_macs = options.target_macs;
  out.target_parameters = options.target_parameters;
  out.seed = options.seed;
  return out;
}

}  // namespace inplace
}  // namespace coppice
