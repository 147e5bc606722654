#include "coppice/sparsity/sparsifier.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/base/named.hpp"
#include "coppice/tensor/kernels.hpp"

#include "sparsity/contest.hpp"
#include "sparsity/selection.hpp"

namespace coppice::sparsity {
namespace {

constexpr base::Names<Context, 2> contexts{{{Context::local, "local"}, {Context::global, "global"}}};

/// Zeros so far, and whether all masks fit.
std::vector<ZeroCount> counts(const std::vector<LayerMask>& masks, const graph::Model& model) {
  std::vector<ZeroCount> out;
  for (const LayerMask& layer : masks) {
    const tensor::Tensor* tensor = model.graph.constant(model.graph.find(layer.site.name));
    if (!tensor) throw no_such_weight(layer.site);
    check_fits(layer.site, *tensor);
    if (tensor->elements() != layer.mask.elements)
      throw Error(layer.site.name + ": expected a mask of " + std::to_string(tensor->elements()) + " bits, found " +
                  std::to_string(layer.mask.elements));
    const std::int64_t zeros = tensor::count_zeros(*tensor);
    out.push_back({layer.site.name, layer.site.layer, layer.mask.elements, zeros, zeros});
  }
  return out;
}

}  // namespace

std::string_view to_string(Context context) {
  return base::find_name(contexts, context);
}

Context parse_context(std::string_view text) {
  return base::parse_name("context", contexts, text);
}

Sparsifier::Sparsifier(const graph::Model& model, const SparsifyOptions& options) {
  check_options(options);
  const std::vector<Site> sites = find_sites(model.graph);
  check_names(sites, options);

  // One after the other, each alone or all together, but the masks in the order of the sites.
  std::vector<Entrant> together;
  std::unordered_map<std::string, tensor::Mask> masks;
  const auto settle = [&](const std::vector<Entrant>& entrants, double sparsity) {
    std::vector<tensor::Mask> made = compete(entrants, sparsity, options);
    for (std::size_t i = 0; i < entrants.size(); ++i) masks.emplace(entrants[i].site.name, std::move(made[i]));
  };
  for (std::size_t i = 0; i < sites.size(); ++i) {
    const Site& site = sites[i];
    if (auto reason = exclusion(site, options)) {
      left_.push_back({site, std::move(*reason)});
      continue;
    }
    Entrant entrant{site, *model.graph.constant(site.value), i};
    const std::optional<double> own = own_sparsity(site, options);
    if (!own && options.context == Context::global) {
      together.push_back(std::move(entrant));
    } else {
      settle({std::move(entrant)}, own.value_or(options.sparsity));
    }
  }
  settle(together, options.sparsity);
  for (const Site& site : sites) {
    const auto found = masks.find(site.name);
    if (found != masks.end()) masks_.push_back({site, std::move(found->second)});
  }
  for (Site& site : find_inner_sites(model.graph)) left_.push_back({site, site.obstacle});
  if (masks_.empty()) nothing_left(left_);
}

std::vector<ZeroCount> Sparsifier::count(const graph::Model& model) const {
  return counts(masks_, model);
}

std::vector<ZeroCount> Sparsifier::apply(graph::Model& model) const {
  std::vector<ZeroCount> out = counts(masks_, model);
  for (std::size_t i = 0; i < masks_.size(); ++i) {
    const graph::ValueId value = model.graph.find(masks_[i].site.name);
    tensor::Tensor zeroed = tensor::apply_mask(masks_[i].mask, *model.graph.constant(value));
    out[i].after = tensor::count_zeros(zeroed);
    model.graph.set_constant(value, std::move(zeroed));
  }
  return out;
}

std::vector<LayerMask> masks_of_zeros(const graph::Model& model, const std::vector<std::string>& names) {
  std::vector<LayerMask> out;
  for (const std::string& name : names) {
    const tensor::Tensor* tensor = model.graph.constant(model.graph.find(name));
    if (!tensor) throw Error(name + ": the model has no such weight");
    // The zeros are the smallest of all.
    const auto zeros = tensor::Smallest::of({tensor::Weights{name, *tensor}}, tensor::count_zeros(*tensor));
    out.push_back({Site{.name = name, .layer = name, .shape = tensor->shape}, zeros.mask(0)});
  }
  return out;
}

}  // namespace coppice::sparsity
