#include "support/runtime_case.hpp"

#include <algorithm>
#include <exception>

#include "coppice/formats/onnx.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/tensors.hpp"

#include "support/ort_referee.hpp"
#include "support/scratch.hpp"

namespace coppice::test {
namespace {

graph::Model model_of(const RuntimeCase& one) {
  graph::Builder builder("case", one.opset);
  if (!one.domain.empty()) builder.model().opsets.push_back({one.domain, 1});
  std::vector<graph::ValueId> operands;
  for (const at::Tensor& operand : one.operands) {
    operands.push_back(graph::no_value);
    if (operand.defined())
      operands.back() = builder.initializer("operand" + std::to_string(operands.size()), to_coppice(operand));
  }
  std::vector<graph::ValueId> outputs = builder.op_multi(one.op, operands, one.outputs, one.attributes, "result");
  builder.graph().nodes.back().domain = one.domain;
  for (const std::size_t k : one.absent) builder.graph().nodes.back().outputs[k] = outputs[k] = graph::no_value;
  std::erase(outputs, graph::no_value);
  for (const graph::ValueId output : outputs) builder.output(output, tensor::DType::undefined, {});
  builder.graph().reindex();
  return std::move(builder.model());
}

// The results as constants, under the names of the model's outputs.
graph::Model constants(const std::vector<std::string>& names, const std::vector<at::Tensor>& results,
                       std::int64_t opset) {
  graph::Builder builder("results", opset);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const graph::ValueId value = builder.op("Identity", {builder.initializer(names[i] + "_", to_coppice(results[i]))});
    builder.rename(value, names[i]);
    std::vector<graph::Dim> shape;
    for (const std::int64_t extent : results[i].sizes()) shape.push_back({extent, {}});
    builder.output(value, element_type(results[i].scalar_type()), shape);
  }
  return std::move(builder).finish();
}

std::string bad_gradients(GraphModule& module, const std::vector<at::Tensor>& results) {
  at::Tensor sum;
  for (const at::Tensor& result : results)
    if (result.is_floating_point() && result.requires_grad())
      sum = sum.defined() ? sum + at::sum(result) : at::sum(result);
  if (!sum.defined()) return {};
  sum.backward();
  for (const auto& [name, weight] : module.constants())
    if (weight.is_leaf() && weight.grad().defined() && !at::isfinite(weight.grad()).all().template item<bool>())
      return "gradient of " + name + " is not finite";
  return {};
}

std::string compare(const RuntimeCase& one, double tolerance) {
  graph::Model model = model_of(one);
  GraphModule module(model);
  const std::vector<at::Tensor> results = module.run({});
  for (std::size_t i = 0; i < results.size(); ++i) {
    graph::Value& value = model.graph.values[static_cast<std::size_t>(model.graph.outputs[i])];
    value.dtype = element_type(results[i].scalar_type());
    for (const std::int64_t extent : results[i].sizes()) value.shape->push_back({extent, {}});
  }
  const Scratch scratch;
  const std::string expected = scratch / "model.onnx", found = scratch / "results.onnx";
  formats::write_onnx(model, expected);
  formats::write_onnx(constants(module.output_names(), results, one.opset), found);
  RefereeOptions options;
  options.optimise = false;
  const auto runs = Referee::shared().run({expected, found}, options);
  const Comparison all = judge(runs[0], runs[1]);
  if (!all.error.empty()) return all.error;
  if (all.scale == 0) return "an output is all zeros";
  for (const OutputReport& output : runs[1].outputs) {
    const bool real = output.type.find("float") != std::string::npos;
    if (real ? output.rel > tolerance : output.max_diff > 0)
      return "output \"" + output.name + "\" is off by " + std::to_string(output.max_diff);
  }
  return bad_gradients(module, results);
}

}  // namespace

std::string differs_from_runtime(const RuntimeCase& one, double tolerance) {
  try {
    return compare(one, tolerance);
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace coppice::test
