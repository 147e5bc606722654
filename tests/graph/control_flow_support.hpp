#pragma once
#include <algorithm>

#include "coppice/graph/builder.hpp"
#include "coppice/graph/control_flow.hpp"

// What the tests of static control flow share.
namespace coppice::graph {

inline std::size_t at(ValueId id) {
  return static_cast<std::size_t>(id);
}

/// A subgraph under construction. Names that are not defined when it is finished are captured.
struct Body {
  Graph graph;
  explicit Body(const std::string& name) { graph.name = name; }

  Body& input(const std::string& name) {
    graph.inputs.push_back(graph.value(name));
    return *this;
  }
  Body& initializer(const std::string& name, Tensor tensor) {
    graph.add_initializer(name, std::move(tensor));
    return *this;
  }
  Body& add(const std::string& op, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
            std::vector<Attribute> attributes = {}) {
    Node node{.op = op, .name = outputs[0]};
    for (const std::string& name : inputs) node.inputs.push_back(name.empty() ? no_value : graph.value(name));
    for (const std::string& name : outputs) node.outputs.push_back(graph.value(name));
    node.attributes = std::move(attributes);
    graph.nodes.push_back(std::move(node));
    return *this;
  }
  GraphPtr finish(const std::vector<std::string>& outputs) {
    for (const std::string& name : outputs) graph.outputs.push_back(graph.value(name));
    graph.reindex();
    const auto capture = [&](ValueId id) {
      if (id == no_value) return;
      Value& v = graph.values[at(id)];
      v.captured = v.producer < 0 && v.initializer < 0 && !v.is_input;
    };
    for (const Node& node : graph.nodes)
      for (ValueId id : node.inputs) capture(id);
    for (ValueId id : graph.outputs) capture(id);
    return std::make_shared<Graph>(std::move(graph));
  }
};

/// x: float32[N,3,8,8] (or as given) and a flag that depends on data; the nodes are added by the caller.
struct Outer {
  Builder b{"main"};
  explicit Outer(std::vector<Dim> dims = {{2, ""}, {3, ""}, {8, ""}, {8, ""}}) {
    b.input("x", DType::float32, std::move(dims));
    b.input("flag", DType::boolean, {});
  }
  ValueId op(const std::string& name, const std::string& type, const std::vector<std::string>& inputs,
             std::vector<Attribute> attributes = {}) {
    return ops({name}, type, inputs, std::move(attributes))[0];
  }
  std::vector<ValueId> ops(const std::vector<std::string>& names, const std::string& type,
                           const std::vector<std::string>& inputs, std::vector<Attribute> attributes = {}) {
    Graph& g = b.graph();
    Node node{.op = type, .name = names[0]};
    for (const std::string& input : inputs) node.inputs.push_back(input.empty() ? no_value : g.value(input));
    for (const std::string& name : names) node.outputs.push_back(g.value(name));
    node.attributes = std::move(attributes);
    g.nodes.push_back(node);
    return node.outputs;
  }
  /// `name` says whether extent `axis` of x is `extent`.
  void extent_is(const std::string& name, std::int64_t axis, std::int64_t extent) {
    b.initializer(name + ".axis", Tensor::scalar(axis));
    b.initializer(name + ".extent", Tensor::scalar(extent));
    op(name + ".shape", "Shape", {"x"});
    op(name + ".dim", "Gather", {name + ".shape", name + ".axis"});
    op(name, "Equal", {name + ".dim", name + ".extent"});
  }
  Model finish(const std::vector<std::string>& outputs) {
    for (const std::string& name : outputs) b.output(b.graph().find(name), DType::float32, {});
    return std::move(b).finish();
  }
};

inline Tensor truth(bool value) {
  return tensor::from_ints(DType::boolean, {}, std::vector<std::int64_t>{value ? 1 : 0});
}

inline Attribute then_is(GraphPtr graph) {
  return attr("then_branch", AttributeValue(std::move(graph)));
}
inline Attribute else_is(GraphPtr graph) {
  return attr("else_branch", AttributeValue(std::move(graph)));
}

/// "y = Op(a, b); ...", without constants' types.
inline std::string nodes_of(const Graph& graph) {
  std::string out;
  for (const Node& node : graph.nodes) {
    if (!out.empty()) out += "; ";
    for (std::size_t i = 0; i < node.outputs.size(); ++i)
      out += (i == 0 ? "" : ", ") + std::string(graph.name_of(node.outputs[i]));
    out += " = " + node.op + "(";
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
      out += (i == 0 ? "" : ", ") + std::string(graph.name_of(node.inputs[i]));
    out += ")";
  }
  return out;
}

inline std::int64_t constant_int(const Graph& graph, const std::string& name) {
  const Tensor* tensor = graph.constant(graph.find(name));
  return tensor ? tensor::element_as_int(*tensor, 0) : -999;
}

/// Resolves, checks, and expects that restoring gives the same text back.
inline std::vector<ResolvedRegion> resolve_and_back(Model& model) {
  const std::string before = to_text(model.graph);
  auto regions = resolve_control_flow(model, {});
  model.graph.check();
  Model copy = model;
  restore_control_flow(copy.graph, regions);
  copy.graph.check();
  EXPECT_EQ(to_text(copy.graph), before);
  return regions;
}

}  // namespace coppice::graph
