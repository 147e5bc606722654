#include "torch/executor/program.hpp"

#include <algorithm>
#include <utility>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/torch/tensors.hpp"

#include "torch/messages.hpp"

namespace coppice::executor {
namespace {

using graph::Graph;
using graph::no_value;
using graph::Node;
using graph::ValueId;

std::string operator_name(const Node& node) {
  return node.domain.empty() ? node.op : node.domain + "." + node.op;
}

// The values of this graph that a node reads, those that its subgraphs capture included.
std::vector<ValueId> reads(const Graph& graph, const Node& node) {
  std::vector<ValueId> out;
  for (const ValueId input : node.inputs)
    if (input != no_value) out.push_back(input);
  for (const std::string& name : graph::captured_names(node))
    if (const ValueId value = graph.find(name); value != no_value) out.push_back(value);
  return out;
}

}  // namespace

Program::Program(const graph::Model& model, const Graph& graph, const Load& load,
                 const std::vector<const Graph*>& around)
    : size_(graph.values.size()), outputs_(graph.outputs) {
  std::vector<const Graph*> inside = around;
  inside.push_back(&graph);
  const int depth = static_cast<int>(around.size());
  if (around.empty())
    for (const graph::Value& value : graph.values) names_.push_back(value.name);
  for (const ValueId input : graph.inputs)
    if (graph.values[at(input)].initializer < 0 || !around.empty()) inputs_.push_back(input);
  for (const graph::Initializer& initializer : graph.initializers)
    constants_.push_back({initializer.value, load(graph, initializer.value, depth)});

  // Names that reach in from outside: of values that nothing in this graph defines.
  std::vector<std::uint8_t> defined(size_, 0);
  for (const ValueId input : graph.inputs) defined[at(input)] = 1;
  for (const graph::Initializer& initializer : graph.initializers) defined[at(initializer.value)] = 1;
  for (const Node& node : graph.nodes)
    for (const ValueId output : node.outputs)
      if (output != no_value) defined[at(output)] = 1;
  for (std::size_t v = 0; v < size_; ++v) {
    if (defined[v]) continue;
    for (int hops = 1; hops <= depth; ++hops) {
      const ValueId source = around[static_cast<std::size_t>(depth - hops)]->find(graph.values[v].name);
      if (source == no_value || around[static_cast<std::size_t>(depth - hops)]->values[at(source)].captured) continue;
      captures_.push_back({static_cast<ValueId>(v), hops, source});
      break;
    }
  }

  for (const Node& node : graph.nodes) {
    if (node.is("Constant") && graph.constant(node.output(0))) {
      constants_.push_back({node.output(0), load(graph, node.output(0), depth)});
      continue;
    }
    const MakeKernel make = find_kernel(node.domain, node.op);
    if (!make)
      throw Error(graph::describe(graph, node) + ": expected an operator that runs here, found " + operator_name(node));
    const Build build(model, graph, node, [&](const Graph& body) {
      return std::shared_ptr<const Program>(new Program(model, body, load, inside));
    });
    try {
      steps_.push_back({make(build), node.inputs, node.outputs, {}, graph::describe(graph, node)});
    } catch (const Error& error) {
      throw Error(graph::describe(graph, node) + ": " + error.what());
    }
    steps_.back().dead = reads(graph, node);
  }

  // A value is dead behind its last reader.
  std::vector<std::uint8_t> needed(size_, 0);
  for (const ValueId output : outputs_) needed[at(output)] = 1;
  for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) {
    std::erase_if(step->dead, [&](ValueId value) { return std::exchange(needed[at(value)], std::uint8_t{1}) != 0; });
    for (const ValueId output : step->outputs)
      if (output != no_value && !needed[at(output)]) step->dead.push_back(output);
  }
}

std::vector<at::Tensor> Program::run(const Context& context, Frame* outer, std::vector<at::Tensor> inputs) const {
  Frame frame{context, outer, {}};
  frame.values.resize(size_);
  for (std::size_t i = 0; i < std::min(inputs.size(), inputs_.size()); ++i)
    frame.values[at(inputs_[i])] = std::move(inputs[i]);
  observe(context, inputs_, frame);
  for (const Constant& constant : constants_) frame.values[at(constant.value)] = constant.tensor;
  for (const Capture& capture : captures_) {
    Frame* from = outer;
    for (int hop = 1; hop < capture.hops && from; ++hop) from = from->outer;
    if (from) frame.values[at(capture.value)] = from->values[at(capture.source)];
  }
  for (const Step& step : steps_) {
    Call call(frame, step.inputs, step.outputs);
    try {
      step.kernel(call);
    } catch (const c10::Error& error) {
      throw Error(step.where + ": " + first_line(error));
    } catch (const Error& error) {
      throw Error(step.where + ": " + error.what());
    }
    observe(context, step.outputs, frame);
    for (const ValueId value : step.dead) frame.values[at(value)] = at::Tensor();
  }
  std::vector<at::Tensor> out;
  for (const ValueId output : outputs_) out.push_back(frame.values[at(output)]);
  return out;
}

void Program::observe(const Context& context, std::span<const ValueId> values, Frame& frame) const {
  if (context.observers.empty() || names_.empty()) return;
  for (const ValueId value : values) {
    if (value == no_value) continue;
    const auto it = context.observers.find(names_[at(value)]);
    if (it == context.observers.end()) continue;
    for (const auto& [id, observer] : it->second) observer(frame.values[at(value)]);
  }
}

const at::Tensor& Call::in(std::size_t i) const {
  if (!has(i)) throw Error("operand " + std::to_string(i) + " is missing");
  const at::Tensor& tensor = frame_.values[at(inputs_[i])];
  if (!tensor.defined()) throw Error("operand " + std::to_string(i) + " has no value");
  return tensor;
}

std::vector<std::int64_t> Call::ints(std::size_t i) const {
  const at::Tensor tensor = in(i).to(at::kCPU, at::kLong).contiguous();
  const auto* data = tensor.data_ptr<std::int64_t>();
  return {data, data + tensor.numel()};
}

double Call::number(std::size_t i) const {
  const at::Tensor& tensor = in(i);
  if (tensor.numel() != 1)
    throw Error("operand " + std::to_string(i) + ": expected one number, found " + std::to_string(tensor.numel()));
  return tensor.item<double>();
}

void Call::out(std::size_t i, at::Tensor tensor) {
  if (wants(i)) frame_.values[at(outputs_[i])] = std::move(tensor);
}

bool Call::training() const {
  return frame_.context.training;
}

std::optional<double> Call::renewal() const {
  return frame_.context.renewal;
}

std::vector<at::Tensor> Call::run(const Program& body, std::vector<at::Tensor> inputs) const {
  return body.run(frame_.context, &frame_, std::move(inputs));
}

std::vector<std::int64_t> Build::integers(std::string_view name) const {
  const auto found = node_.ints(name);
  return {found.begin(), found.end()};
}

std::vector<double> Build::reals(std::string_view name) const {
  const graph::Attribute* attribute = node_.find(name);
  if (!attribute) return {};
  const auto* values = std::get_if<std::vector<float>>(&attribute->value);
  if (!values) throw Error("attribute " + std::string(name) + ": expected real numbers");
  return {values->begin(), values->end()};
}

at::ScalarType Build::type(std::string_view name, tensor::DType fallback) const {
  return scalar_type(static_cast<tensor::DType>(node_.int_or(name, static_cast<std::int64_t>(fallback))));
}

std::shared_ptr<const Program> Build::body(std::string_view name) const {
  const graph::Attribute* attribute = node_.find(name);
  const auto* graph = attribute ? std::get_if<graph::GraphPtr>(&attribute->value) : nullptr;
  if (!graph || !*graph) throw Error("attribute " + std::string(name) + ": expected a graph");
  return make_body_(**graph);
}

}  // namespace coppice::executor
