#include "coppice/torch/trace.hpp"

#include "torch/trace/translation.hpp"

namespace coppice {

graph::Model trace(const Callable& module, const std::vector<at::Tensor>& example_inputs, const TraceOptions& options) {
  const tracing::Recording recording = tracing::record(module, example_inputs, options.evaluation);
  return tracing::Translation(recording, options.name).finish();
}

std::vector<std::string> unmapped_operators(const graph::Model& model) {
  std::vector<std::string> out;
  for (const graph::Node& node : model.graph.nodes)
    if (node.domain == "aten") out.push_back(describe(model.graph, node));
  return out;
}

}  // namespace coppice
