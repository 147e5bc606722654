#include "coppice/sparsity/strategy.hpp"

#include <algorithm>

#include "coppice/base/error.hpp"
#include "coppice/graph/parameters.hpp"

namespace coppice::sparsity {
namespace {

std::int64_t parameters(const graph::Graph& graph) {
  const std::vector<graph::Role> roles = graph::constant_roles(graph);
  std::int64_t out = 0;
  for (std::size_t value = 0; value < roles.size(); ++value) {
    if (!graph::is_parameter(roles[value])) continue;
    if (const tensor::Tensor* tensor = graph.constant(static_cast<graph::ValueId>(value))) out += tensor->elements();
  }
  return out;
}

double fraction_of(const graph::Graph& graph, const std::vector<Site>& layers, double compression) {
  std::int64_t prunable = 0;
  for (const Site& layer : layers) prunable += tensor::element_count(layer.shape);
  const std::int64_t total = parameters(graph), rest = total - prunable;
  const double keep = prunable == 0 ? -1
                                    : (static_cast<double>(total) / compression - static_cast<double>(rest)) /
                                          static_cast<double>(prunable);
  if (!(compression >= 1) || keep < 0) {
    throw Error("compression: expected 1 to " +
                (rest > 0 ? std::to_string(static_cast<double>(total) / static_cast<double>(rest)) : "any number") +
                ", as " + std::to_string(rest) + " of " + std::to_string(total) + " parameters stay dense, found " +
                std::to_string(compression));
  }
  return std::min(keep, 1.0);
}

}  // namespace

Strategy::Strategy(const graph::Model& model, StrategyOptions options) : model_(model), options_(std::move(options)) {
  for (Site& site : find_sites(model.graph))
    if (site.obstacle.empty() && (options_.prune_classifier || !site.output_layer)) layers_.push_back(std::move(site));
  fraction_ = options_.compression ? fraction_of(model.graph, layers_, *options_.compression) : options_.fraction;
  if (!(fraction_ >= 0 && fraction_ <= 1)) throw Error("fraction: expected 0 to 1, found " + std::to_string(fraction_));
}

Params Strategy::params() const {
  Params out;
  for (const Site& layer : layers_) out.emplace_back(layer.name, *model_.graph.constant(layer.value));
  return out;
}

Params Strategy::module_params(const Site& layer) const {
  return {{layer.name, *model_.graph.constant(layer.value)}};
}

Masks Strategy::model_masks() {
  Masks out;
  for (const Site& layer : layers_)
    for (auto& mask : layer_masks(layer)) out.push_back(std::move(mask));
  return out;
}

Masks Strategy::layer_masks(const Site& layer) {
  throw Error(layer.layer + ": the strategy overrides neither model_masks nor layer_masks");
}

Sparsifier Strategy::sparsifier() {
  std::vector<LayerMask> out;
  for (auto& [name, mask] : model_masks()) {
    const auto layer = std::find_if(layers_.begin(), layers_.end(),
                                    [&wanted = name](const Site& site) { return site.name == wanted; });
    if (layer == layers_.end()) throw Error(name + ": a mask for what is no prunable weight");
    if (mask.elements != tensor::element_count(layer->shape)) {
      throw Error(name + ": expected a mask of " + std::to_string(tensor::element_count(layer->shape)) +
                  " weights, found one of " + std::to_string(mask.elements));
    }
    out.push_back({*layer, std::move(mask)});
  }
  if (out.empty()) throw Error("strategy: expected a layer to prune, found none");
  return Sparsifier(std::move(out));
}

}  // namespace coppice::sparsity
