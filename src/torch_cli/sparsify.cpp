#include "coppice/tensor/kernels.hpp"
#include "coppice/torch/calibrated_sparsity.hpp"
#include "coppice/torch/sparsity_scores.hpp"

#include "cli/progress.hpp"
#include "torch_cli/data.hpp"
#include "torch_cli/device.hpp"
#include "torch_cli/services.hpp"

namespace coppice::cli {

namespace {

// All layers at once, by what the whole model does.
SparsifyOutcome by_scores(const SparsifyArguments& arguments, at::Device device, graph::Model& model) {
  Calibration calibration = calibration_of(arguments.calibration, arguments.options.seed);
  calibration.loss = arguments.loss == "mse" ? mse() : cross_entropy();
  GraphModule module{graph::Model(model)};
  module.to(device);
  sparsity::SparsifyOptions options = arguments.options;
  options.scores = sparsity_scores(module, parse_criterion(arguments.criterion), calibration, options.seed);
  const sparsity::Sparsifier sparsifier(model, options);
  return {.layers = sparsifier.apply(model), .left = sparsifier.left(), .masks = sparsifier.masks()};
}

}  // namespace

SparsifyOutcome Services::sparsify(const SparsifyArguments& arguments, graph::Model& model) {
  const at::Device device = parse_device(arguments.device);
  use_threads(arguments.common.threads);
  if (!goes_by_layers(arguments)) return by_scores(arguments, device, model);
  Bar bar;
  CalibratedOptions options;
  options.method = parse_sparsity_method(arguments.criterion);
  options.what = arguments.options;
  options.owl = arguments.owl;
  options.calibration = calibration_of(arguments.calibration, arguments.options.seed);
  options.progress = &bar;
  GraphModule module(std::move(model));
  module.to(device);
  const graph::Model before = module.model();
  const CalibratedReport report = sparsify_calibrated(module, options);
  model = module.model();
  SparsifyOutcome out{.left = report.left};
  for (const CalibratedLayer& layer : report.layers) {
    const tensor::Tensor& weight = *before.graph.constant(before.graph.find(layer.name));
    out.layers.push_back({layer.name, layer.layer, layer.weights, tensor::count_zeros(weight), layer.zeros});
    out.errors.push_back(layer.error);
  }
  return out;
}

}  // namespace coppice::cli
