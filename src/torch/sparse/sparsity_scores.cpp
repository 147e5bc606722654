#include "coppice/torch/sparsity_scores.hpp"

#include <vector>

#include "coppice/pruning/prepare.hpp"
#include "coppice/torch/evidence.hpp"
#include "coppice/torch/tensors.hpp"

namespace coppice {
namespace {

struct Weights {
  graph::Model model;
  std::vector<sparsity::Site> sites;
  Evidence evidence;
};

Weights look(GraphModule& module, const CriterionOptions& options, const Calibration& calibration) {
  Weights out{.model = module.view()};
  out.sites = sparsity::find_sites(out.model.graph);
  const auto constants = module.constants();
  NamedTensors weights;
  for (const sparsity::Site& site : out.sites)
    if (const auto found = constants.find(site.name); found != constants.end() && site.obstacle.empty())
      weights.emplace_back(site.name, found->second);
  const pruning::Prepared prepared = pruning::prepare(out.model);
  out.evidence = collect(Callable(module), weights, options, calibration, {&module, &prepared});
  return out;
}

std::vector<double> numbers(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.to(at::kCPU, at::kDouble).contiguous().flatten();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

// One number an input channel: of a grouped convolution, whose norms lie along the outputs too, those of all groups.
std::vector<double> input_numbers(const at::Tensor& norm, const sparsity::Site& site, const graph::Model& model) {
  if (!site.convolution() || norm.size(static_cast<std::int64_t>(site.output_axis)) == 1) return numbers(norm);
  const std::int64_t groups = model.graph.nodes[site.node].int_or("group", 1),
                     outputs = norm.size(static_cast<std::int64_t>(site.output_axis));
  const at::Tensor rows = norm.transpose(0, static_cast<std::int64_t>(site.output_axis)).flatten(1);
  return numbers(rows.reshape({groups, outputs / groups, -1}).select(1, 0));
}

}  // namespace

std::map<std::string, tensor::Tensor, std::less<>> sparsity_scores(GraphModule& module, const Criterion& criterion,
                                                                   const Calibration& calibration, std::uint64_t seed) {
  const Weights weights = look(module, criterion.options(), calibration);
  std::map<std::string, tensor::Tensor, std::less<>> out;
  for (const auto& [name, scores] : weight_scores(criterion, weights.evidence, seed))
    out.emplace(name, to_coppice(scores));
  return out;
}

void look_at_data(GraphModule& module, const Calibration& calibration, sparsity::StrategyOptions& options) {
  const CriterionOptions wanted{
      .gradient = static_cast<bool>(calibration.loss), .input_norm = true, .output_norm = true};
  const Weights weights = look(module, wanted, calibration);
  for (const sparsity::Site& site : weights.sites) {
    const auto found = weights.evidence.find(site.name);
    if (found == weights.evidence.end()) continue;
    const WeightView& view = found->second;
    if (view.gradient.defined()) options.gradients[site.name] = to_coppice(view.gradient.cpu());
    if (view.input_norm.defined()) options.input_norms[site.name] = input_numbers(view.input_norm, site, weights.model);
    if (view.output_norm.defined()) options.output_norms[site.name] = numbers(view.output_norm);
  }
}

}  // namespace coppice
