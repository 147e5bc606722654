#include <memory>

#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/torch/evidence.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/tensors.hpp"

#include "cli/app.hpp"
#include "torch_cli/data.hpp"
#include "torch_cli/device.hpp"
#include "torch_cli/services.hpp"

namespace coppice::cli {
namespace {

// The first weights, by the names of the model that is pruned.
NamedTensors read_snapshot(const std::string& file) {
  const pruning::Prepared prepared = prepare(file, formats::read_onnx(file), {});
  NamedTensors out;
  const graph::Graph& graph = prepared.model.graph;
  for (std::size_t v = 0; v < graph.values.size(); ++v) {
    const auto value = static_cast<graph::ValueId>(v);
    const tensor::Tensor* constant = graph.constant(value);
    if (constant && graph::is_parameter(prepared.roles[v]) && is_real(constant->dtype))
      out.emplace_back(graph.values[v].name, to_torch(*constant));
  }
  return out;
}

}  // namespace

TorchServices::MakeMeasure Services::measure(const PruneArguments& arguments) {
  use_threads(arguments.common.threads);
  const Criterion criterion = parse_criterion(arguments.criterion);
  const at::Device device = parse_device(arguments.device);
  auto calibration = std::make_shared<Calibration>();
  if (!arguments.calibration.data.empty()) {
    *calibration = calibration_of(arguments.calibration, arguments.options.select.seed);
    calibration->loss = arguments.loss == "mse" ? mse() : cross_entropy();
  }
  auto initial = std::make_shared<NamedTensors>();
  if (!arguments.initial.empty()) *initial = read_snapshot(arguments.initial);
  return [=](const pruning::Prepared& prepared, std::span<const std::uint8_t> removed) {
    // The twin is the model that is left, in the widths of the original.
    GraphModule module(twin(prepared, removed));
    module.to(device);
    Evidence evidence = collect(module, prepared, criterion.options(), *calibration);
    if (criterion.options().initial) add_initial(evidence, *initial);
    return make_measure(criterion, prepared, removed, std::move(evidence));
  };
}

}  // namespace coppice::cli
