#include "support/trace_check.hpp"

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/graph/builder.hpp"
#include "coppice/graph/infer.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/tensors.hpp"

#include "support/ort_referee.hpp"
#include "support/scratch.hpp"

namespace coppice::test {
namespace {

// A model without inputs, whose outputs are the given tensors.
graph::Model constants(const graph::Model& like, const std::vector<at::Tensor>& tensors) {
  graph::Builder builder("expected");
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const std::string name(like.graph.name_of(like.graph.outputs[i]));
    const auto held = builder.initializer(name + "/value", to_coppice(tensors[i]));
    const auto out = builder.op("Identity", {held}, {}, name);
    const graph::Value& declared = like.graph.values[at(like.graph.outputs[i])];
    builder.output(out, declared.dtype, *declared.shape);
  }
  return std::move(builder).finish();
}

// The model with its inputs as initializers.
graph::Model fed(graph::Model model, const std::vector<at::Tensor>& inputs) {
  for (std::size_t i = 0; i < inputs.size(); ++i)
    model.graph.initializers.push_back({.value = model.graph.inputs[i], .tensor = to_coppice(inputs[i])});
  model.graph.inputs.clear();
  model.graph.reindex();
  return model;
}

std::string contradictions(const graph::Model& model) {
  const graph::Worlds worlds = graph::choose_worlds(model, {});
  const graph::Facts facts = graph::infer(model, model.graph, worlds.first);
  std::string out;
  for (const graph::ValueId id : model.graph.outputs) {
    const graph::Value& value = model.graph.values[at(id)];
    tensor::Shape declared;
    for (const graph::Dim& dim : *value.shape) declared.push_back(dim.size);
    const graph::Fact& fact = facts[at(id)];
    if (!fact.ranked || fact.shape != declared || fact.dtype != value.dtype)
      out += value.name + ": expected " + std::string(tensor::name(value.dtype)) + " " + tensor::to_string(declared) +
             ", inferred " + std::string(tensor::name(fact.dtype)) + " " +
             (fact.ranked ? tensor::to_string(fact.shape) : "of unknown rank") + "; ";
  }
  return out;
}

// GraphModule and the module call the same kernels, but not always in the same steps.
std::string run_in_executor(const graph::Model& model, const std::vector<at::Tensor>& inputs,
                            const std::vector<at::Tensor>& expected, double tolerance) {
  try {
    GraphModule module(model);
    const std::vector<at::Tensor> outputs = module.run(inputs);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const at::Tensor a = expected[i].to(at::kDouble), b = outputs.at(i).to(at::kDouble);
      if (a.sizes() != b.sizes()) return "output " + std::to_string(i) + " has another shape";
      const double error =
          a.numel() == 0 ? 0 : (a - b).abs().max().item<double>() / (a.abs().max().item<double>() + 1e-12);
      if (!(error <= tolerance)) return "output " + std::to_string(i) + " differs by " + std::to_string(error);
    }
  } catch (const std::exception& error) {
    return error.what();
  }
  return {};
}

}  // namespace

void run_in_referee(const graph::Model& model, const std::vector<at::Tensor>& inputs,
                    const std::vector<at::Tensor>& expected, TraceReport& report) {
  Referee& referee = Referee::shared();
  if (!referee.missing().empty()) {
    if (referee_required()) report.runtime = referee.missing();
    return;
  }
  const Scratch folder;
  formats::write_onnx(constants(model, expected), folder / "expected.onnx");
  formats::write_onnx(fed(model, inputs), folder / "traced.onnx");
  const Comparison result =
      referee.compare(folder / "expected.onnx", folder / "traced.onnx", {.shapes = {}, .ranges = {}});
  report.runtime = result.error;
  report.rel_err = result.rel_err;
  report.scale = result.scale;
}

TraceReport check_trace(const Callable& module, const std::vector<at::Tensor>& inputs) {
  TraceReport report;
  report.model = trace(module, inputs);
  report.unmapped = unmapped_operators(report.model);
  report.shapes = contradictions(report.model);
  if (!report.unmapped.empty()) return report;
  const bool training = module.module().is_training();
  const at::NoGradGuard no_gradients;
  module.module().eval();
  const std::vector<at::Tensor> expected = module(inputs);
  module.module().train(training);
  report.executor = run_in_executor(report.model, inputs, expected, 1e-5);
  run_in_referee(report.model, inputs, expected, report);
  return report;
}

}  // namespace coppice::test
