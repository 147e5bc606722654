#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coppice/graph/model.hpp"
#include "coppice/sparsity/importances.hpp"
#include "coppice/sparsity/sites.hpp"
#include "coppice/sparsity/sparsifier.hpp"

namespace coppice::sparsity {

/// How much a strategy keeps, and what it looks at.
struct StrategyOptions {
  double fraction = 0.5;              ///< Share of the prunable weights that stay, in [0, 1].
  std::optional<double> compression;  ///< Instead: all parameters over those that stay, at least 1.
  bool prune_classifier = false;      ///< Output layers are left dense otherwise.
  bool prune_linear = true;           ///< Of the channel strategies: matrices too, not convolutions alone.
  std::uint64_t seed = 0;             ///< Of Random.
  /// For the strategies that look at data, by the weight's name: the loss's gradient, in the weight's shape; the norm
  /// of what each input (of Act) or output (of ActivationNormChannel) of the layer was on some data, one number a
  /// channel; of a grouped convolution those of all groups, one after the other. With libtorch, look_at_data() of
  /// coppice/torch/sparsity_scores.hpp sets them.
  std::map<std::string, tensor::Tensor, std::less<>> gradients;
  std::map<std::string, std::vector<double>, std::less<>> input_norms, output_norms;
};

/// A way to choose masks. One's own overrides model_masks(), which sees all layers, or layer_masks(), which sees one.
/// Prunable are the weights of convolutions and matrices (see find_sites()) but the output layers'.
class Strategy {
 public:
  /// The model must outlive the strategy. Throws Error for numbers out of range, and for a compression that the
  /// parameters which are not prunable rule out.
  Strategy(const graph::Model& model, StrategyOptions options);
  virtual ~Strategy() = default;
  Strategy(const Strategy&) = delete;
  Strategy& operator=(const Strategy&) = delete;

  /// Runs the strategy. Throws Error for a mask that fits no prunable weight.
  Sparsifier sparsifier();

  /// The share of the prunable weights that stays: as asked for, or (total / compression - not prunable) / prunable.
  double fraction() const { return fraction_; }
  const std::vector<Site>& layers() const { return layers_; }
  /// Weights of all prunable layers, or of one.
  Params params() const;
  Params module_params(const Site& layer) const;

 protected:
  /// All layers' layer_masks(), unless overridden.
  virtual Masks model_masks();
  /// Throws Error, unless overridden.
  virtual Masks layer_masks(const Site& layer);

  const graph::Model& model() const { return model_; }
  const StrategyOptions& options() const { return options_; }

 private:
  const graph::Model& model_;
  const StrategyOptions options_;
  std::vector<Site> layers_;
  double fraction_ = 1;
};

/// Random, GlobalMagWeight, GlobalMagGrad, GlobalMagAct, LayerMagWeight, LayerMagGrad, LayerMagAct, WeightNormChannel,
/// ActivationNormChannel. Counts are exact, as Sparsifier's. Grad is |w * gradient|, Act |w * norm of its input|; the
/// channel strategies drop whole outputs of each layer, by the root of their weights' mean square, or by output_norms.
std::span<const std::string_view> strategy_names();
/// Throws Error, which lists the names, on any other name, and as Strategy does.
std::unique_ptr<Strategy> make_strategy(std::string_view name, const graph::Model& model,
                                        const StrategyOptions& options);

}  // namespace coppice::sparsity
