#include "torch/sparse/module_weights.hpp"

#include <map>

#include "coppice/base/error.hpp"
#include "coppice/torch/masks.hpp"
#include "coppice/torch/tensors.hpp"

#include "sparsity/selection.hpp"
#include "torch/messages.hpp"

namespace coppice {
namespace sparse {
namespace {

at::Tensor gone(const tensor::Mask& mask, const at::Tensor& like) {
  at::Tensor out = at::empty(like.sizes(), at::kBool);
  bool* const to = out.data_ptr<bool>();
  for (std::int64_t i = 0; i < mask.elements; ++i) to[i] = !mask.stays(i);
  return out.to(like.device());
}

}  // namespace

ModuleWeights::ModuleWeights(const Callable& model, const std::vector<at::Tensor>& example_inputs,
                             const sparsity::SparsifyOptions& options)
    : target_(inplace::make_target(model, example_inputs)) {
  graph_ = target_->graph();
  const std::map<std::string, at::Tensor> tensors = target_->tensors();
  const std::vector<sparsity::Site> sites = sparsity::find_sites(graph_.graph);
  sparsity::check_names(sites, options);
  std::vector<sparsity::LeftDense> left;
  for (const sparsity::Site& site : sites) {
    auto reason = sparsity::exclusion(site, options);
    const auto tensor = tensors.find(site.name);
    if (!reason && tensor == tensors.end()) reason = "not a tensor of the module";
    if (reason)
      left.push_back({site, *reason});
    else
      weights_.push_back({site.name, tensor->second, {}});
  }
  if (weights_.empty()) sparsity::nothing_left(left);
}

void ModuleWeights::choose(const sparsity::SparsifyOptions& options) {
  // Other data may have been put into the tensors.
  for (const Weight& weight : weights_)
    graph_.graph.set_constant(graph_.graph.find(weight.name), to_coppice(weight.tensor.detach()));
  const sparsity::Sparsifier sparsifier(graph_, options);
  std::map<std::string, const tensor::Mask*> masks;
  for (const sparsity::LayerMask& mask : sparsifier.masks()) masks.emplace(mask.site.name, &mask.mask);
  for (Weight& weight : weights_)
    if (const auto mask = masks.find(weight.name); mask != masks.end())
      weight.gone = gone(*mask->second, weight.tensor);
}

void ModuleWeights::take(const NamedTensors& masks, const std::string& source) {
  std::map<std::string, at::Tensor> by_name(masks.begin(), masks.end());
  for (Weight& weight : weights_) {
    const auto mask = by_name.find(weight.name);
    if (mask == by_name.end()) continue;
    if (mask->second.sizes() != weight.tensor.sizes() || mask->second.scalar_type() != at::kBool)
      throw Error(source + ": \"" + weight.name + "\": expected bool " + shape_text(weight.tensor.sizes()) +
                  ", found " + c10::toString(mask->second.scalar_type()) + " " + shape_text(mask->second.sizes()));
    weight.gone = mask->second.logical_not().to(weight.tensor.device());
    by_name.erase(mask);
  }
  if (!by_name.empty())
    throw Error(source + ": expected masks of the model's weights, found one for \"" + by_name.begin()->first + "\"");
}

void ModuleWeights::take_zeros() {
  const at::NoGradGuard no_gradients;
  for (Weight& weight : weights_) {
    const at::Tensor zeros = weight.tensor.detach().eq(0);
    weight.gone = zeros.any().item<bool>() ? zeros : at::Tensor();
  }
}

void ModuleWeights::apply() const {
  const at::NoGradGuard no_gradients;
  for (const Weight& weight : weights_)
    if (weight.gone.defined()) at::Tensor(weight.tensor).masked_fill_(weight.gone, 0);
}

NamedTensors ModuleWeights::masks() const {
  NamedTensors out;
  for (const Weight& weight : weights_)
    if (weight.gone.defined()) out.emplace_back(weight.name, weight.gone.logical_not());
  return out;
}

}  // namespace sparse

NamedTensors choose_masks(const Callable& model, const sparsity::SparsifyOptions& options,
                          const std::vector<at::Tensor>& example_inputs) {
  sparse::ModuleWeights weights(model, example_inputs, options);
  weights.choose(options);
  return weights.masks();
}

void apply_masks(const Callable& model, const NamedTensors& masks, const std::vector<at::Tensor>& example_inputs) {
  sparse::ModuleWeights weights(model, example_inputs, {});
  weights.take(masks, "masks");
  weights.apply();
}

}  // namespace coppice
