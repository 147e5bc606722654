#pragma once
#include <string>
#include <utility>
#include <vector>

#include "coppice/graph/infer.hpp"

namespace coppice::graph {

/// A model of a single node, for tests of its inference function.
class OneNode {
 public:
  explicit OneNode(std::string_view op, std::int64_t opset = 17, std::string_view domain = {}) {
    model_.opsets.push_back({"", opset});
    if (!domain.empty()) model_.opsets.push_back({std::string(domain), 1});
    node_.op = op;
    node_.domain = domain;
  }

  /// An input of the model; -1 for an unknown extent.
  OneNode& in(Shape shape, DType dtype = DType::float32) {
    const std::string name = "x" + std::to_string(node_.inputs.size());
    const ValueId id = model_.graph.value(name);
    Value& value = model_.graph.values[static_cast<std::size_t>(id)];
    value.dtype = dtype;
    model_.graph.inputs.push_back(id);
    node_.inputs.push_back(id);
    world_.inputs.emplace_back(name, std::move(shape));
    return *this;
  }
  /// A constant operand.
  OneNode& constant(Tensor tensor) {
    node_.inputs.push_back(model_.graph.add_initializer("c" + std::to_string(node_.inputs.size()), std::move(tensor)));
    return *this;
  }
  OneNode& ints(std::vector<std::int64_t> values) { return constant(Tensor::ints(values)); }
  OneNode& reals(std::vector<float> values) {
    const Shape shape{static_cast<std::int64_t>(values.size())};
    return constant(Tensor::of<float>(DType::float32, shape, std::span<const float>(values)));
  }
  OneNode& absent() {
    node_.inputs.push_back(no_value);
    return *this;
  }
  OneNode& with(std::string_view name, AttributeValue value) {
    node_.set(name, std::move(value));
    return *this;
  }
  OneNode& with(std::string_view name, int value) { return with(name, AttributeValue(std::int64_t{value})); }
  OneNode& with(std::string_view name, const char* value) { return with(name, AttributeValue(std::string(value))); }
  OneNode& with(std::string_view name, std::vector<std::int64_t> value) {
    return with(name, AttributeValue(std::move(value)));
  }

  /// Facts of the outputs. Throws what inference throws.
  std::vector<Fact> infer(std::size_t outputs = 1) {
    for (std::size_t i = 0; i < outputs; ++i) node_.outputs.push_back(model_.graph.value("y" + std::to_string(i)));
    model_.graph.nodes.push_back(node_);
    model_.graph.reindex();
    facts_ = graph::infer(model_, model_.graph, world_);
    std::vector<Fact> out;
    for (ValueId id : node_.outputs) out.push_back(facts_[static_cast<std::size_t>(id)]);
    return out;
  }
  /// Shape of output 0; {-99} when not even its rank is known.
  Shape shape() {
    const Fact fact = infer()[0];
    return fact.ranked ? fact.shape : Shape{-99};
  }
  /// Multiply-accumulates.
  double macs() {
    infer();
    return counted();
  }
  /// The model with `outputs` results, one that a runtime can run when all extents are known.
  const Model& model(std::size_t outputs = 1) {
    infer(outputs);
    Graph& graph = model_.graph;
    graph.name = "one_node";
    model_.ir_version = 10;
    graph.outputs = graph.nodes[0].outputs;
    for (const auto& [name, shape] : world_.inputs) {
      auto& dims = graph.values[static_cast<std::size_t>(graph.value(name))].shape.emplace();
      for (std::int64_t extent : shape) dims.push_back({extent, {}});
    }
    graph.reindex();
    return model_;
  }
  /// Facts of the outputs, after infer() or model().
  Fact fact(std::size_t output) const { return facts_[static_cast<std::size_t>(node_.outputs[output])]; }
  /// Multiply-accumulates after infer().
  double counted() const { return node_macs(model_.graph, model_.graph.nodes[0], facts_); }

 private:
  Model model_;
  Node node_;
  World world_;
  Facts facts_;
};

}  // namespace coppice::graph
