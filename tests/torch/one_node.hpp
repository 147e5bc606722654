#pragma once
#include <string>
#include <vector>

#include "coppice/graph/model.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/tensors.hpp"

/// Models of one node, to try an operator on.
namespace coppice::one_node {

struct Spec {
  std::string op;
  std::vector<graph::Attribute> attributes;
  std::int64_t opset = 18;
  std::size_t outputs = 1;
  std::string domain;
};

inline graph::Attribute attr(std::string name, graph::AttributeValue value) {
  return {std::move(name), std::move(value), {}, {}};
}
inline graph::Attribute whole(std::string name, std::int64_t value) {
  return attr(std::move(name), value);
}
inline graph::Attribute real(std::string name, float value) {
  return attr(std::move(name), value);
}
inline graph::Attribute text(std::string name, std::string value) {
  return attr(std::move(name), std::move(value));
}
inline graph::Attribute list(std::string name, std::vector<std::int64_t> value) {
  return attr(std::move(name), std::move(value));
}

inline at::Tensor ints(const std::vector<std::int64_t>& values) {
  return at::tensor(values, at::kLong);
}
inline at::Tensor reals(const std::vector<double>& values) {
  return at::tensor(values, at::kDouble);
}

/// Inputs "x0", "x1"..., outputs "y0"...; an undefined tensor is an operand that is left out. `declared` is the type of
/// all inputs in the model, where it is not the tensors' own.
inline GraphModule make(const Spec& spec, const std::vector<at::Tensor>& inputs,
                        tensor::DType declared = tensor::DType::undefined) {
  graph::Model model;
  model.ir_version = 8;
  model.opsets = {{"", spec.opset}};
  if (!spec.domain.empty()) model.opsets.push_back({spec.domain, 1});
  graph::Node node;
  node.op = spec.op;
  node.domain = spec.domain;
  node.attributes = spec.attributes;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined()) {
      node.inputs.push_back(graph::no_value);
      continue;
    }
    const graph::ValueId id = model.graph.value("x" + std::to_string(i));
    model.graph.values[static_cast<std::size_t>(id)].dtype =
        declared == tensor::DType::undefined ? element_type(inputs[i].scalar_type()) : declared;
    model.graph.inputs.push_back(id);
    node.inputs.push_back(id);
  }
  for (std::size_t i = 0; i < spec.outputs; ++i) {
    const graph::ValueId id = model.graph.value("y" + std::to_string(i));
    model.graph.outputs.push_back(id);
    node.outputs.push_back(id);
  }
  model.graph.nodes.push_back(std::move(node));
  model.graph.reindex();
  return GraphModule(std::move(model));
}

inline std::vector<at::Tensor> defined(std::vector<at::Tensor> inputs) {
  std::erase_if(inputs, [](const at::Tensor& tensor) { return !tensor.defined(); });
  return inputs;
}

inline std::vector<at::Tensor> run(const Spec& spec, const std::vector<at::Tensor>& inputs) {
  GraphModule module = make(spec, inputs);
  return module.run(defined(inputs));
}

}  // namespace coppice::one_node
