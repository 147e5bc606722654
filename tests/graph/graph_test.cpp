#include "coppice/graph/graph.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/graph/builder.hpp"

namespace coppice::graph {
namespace {

ValueId node(Graph& graph, const std::string& op, std::vector<std::string> inputs, const std::string& output) {
  Node fresh{.op = op, .name = output + "_node"};
  for (const std::string& input : inputs) fresh.inputs.push_back(graph.value(input));
  fresh.outputs = {graph.value(output)};
  graph.nodes.push_back(std::move(fresh));
  return graph.nodes.back().outputs[0];
}

Graph input_x() {
  Graph graph;
  graph.name = "g";
  graph.inputs.push_back(graph.value("x"));
  return graph;
}

std::string message(const Graph& graph) {
  try {
    graph.check();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(GraphSort, PutsOperandsFirstAndKeepsTheRest) {
  Graph graph = input_x();
  node(graph, "Relu", {"b"}, "c");
  node(graph, "Relu", {"x"}, "a");
  node(graph, "Relu", {"a"}, "b");
  graph.outputs.push_back(graph.value("c"));
  EXPECT_EQ(message((graph.reindex(), graph)), "graph \"g\": Relu \"c_node\": operand \"b\" is not defined before it");
  graph.sort();
  EXPECT_EQ(graph.nodes[0].name, "a_node");
  EXPECT_EQ(graph.nodes[1].name, "b_node");
  EXPECT_EQ(graph.nodes[2].name, "c_node");
  EXPECT_EQ(message(graph), "");
  EXPECT_EQ(graph.values[static_cast<std::size_t>(graph.find("c"))].producer, 2);
}

TEST(GraphSort, NamesANodeOfACycle) {
  Graph graph = input_x();
  node(graph, "Add", {"x", "b"}, "a");
  node(graph, "Relu", {"a"}, "b");
  try {
    graph.sort();
    FAIL() << "a cycle was sorted";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), "graph \"g\": Add \"a_node\" is part of a cycle or waits for one");
  }
}

TEST(GraphSort, ADeepChainNeedsNoStack) {
  Graph graph = input_x();
  std::vector<Node> nodes;
  for (int i = 0; i < 200'000; ++i) {
    const std::string from = i == 0 ? "x" : "v" + std::to_string(i - 1);
    node(graph, "Relu", {from}, "v" + std::to_string(i));
  }
  std::reverse(graph.nodes.begin(), graph.nodes.end());
  graph.sort();
  EXPECT_EQ(graph.nodes.front().name, "v0_node");
  EXPECT_EQ(message(graph), "");
}

TEST(GraphCheck, FindsDoubleDefinitionsAndMissingValues) {
  Graph twice = input_x();
  node(twice, "Relu", {"x"}, "a");
  node(twice, "Tanh", {"x"}, "a");
  EXPECT_EQ(message(twice), "graph \"g\": value \"a\" is defined twice");

  Graph missing = input_x();
  missing.outputs.push_back(missing.value("nowhere"));
  EXPECT_EQ(message(missing), "graph \"g\": output \"nowhere\" is never computed");

  Graph outside = input_x();
  node(outside, "Relu", {"x"}, "a");
  outside.nodes[0].inputs[0] = 99;
  EXPECT_EQ(message(outside), "graph \"g\": Relu \"a_node\": an operand's value id is out of range");
}

TEST(GraphCheck, AnInputMayHaveAnInitializerAsDefault) {
  Graph graph = input_x();
  graph.add_initializer("x", Tensor::scalar(std::int64_t{3}));
  graph.reindex();
  EXPECT_EQ(message(graph), "");
  EXPECT_THROW(graph.add_initializer("x", Tensor::scalar(std::int64_t{4})), Error);
}

TEST(GraphNames, FreshNamesAreUnique) {
  Graph graph = input_x();
  const ValueId first = graph.fresh("x"), second = graph.fresh("x");
  EXPECT_EQ(graph.name_of(first), "x_1");
  EXPECT_EQ(graph.name_of(second), "x_2");
  EXPECT_EQ(graph.find("x_2"), second);
  EXPECT_EQ(graph.find("y"), no_value);
  EXPECT_EQ(graph.value("x"), graph.inputs[0]);
}

TEST(GraphConstants, EveryFormOfConstantBecomesATensor) {
  Builder b("g");
  const ValueId one = b.op("Constant", {}, {attr("value_int", 7)});
  const ValueId many = b.op("Constant", {}, {attr("value_ints", std::vector<std::int64_t>{1, 2})});
  const ValueId real = b.op("Constant", {}, {attr("value_float", AttributeValue(0.5F))});
  const ValueId reals = b.op("Constant", {}, {attr("value_floats", std::vector<float>{1, 2, 3})});
  const ValueId weights = b.initializer("w", Tensor::ints(std::vector<std::int64_t>{4}));
  const ValueId computed = b.op("Neg", {one});
  const Graph graph = std::move(b).finish().graph;
  EXPECT_EQ(element_as_int(*graph.constant(one), 0), 7);
  EXPECT_EQ(graph.constant(one)->shape, Shape{});
  EXPECT_EQ(graph.constant(many)->shape, Shape{2});
  EXPECT_EQ(element_as_double(*graph.constant(real), 0), 0.5);
  EXPECT_EQ(graph.constant(reals)->dtype, DType::float32);
  EXPECT_EQ(element_as_int(*graph.constant(weights), 0), 4);
  EXPECT_EQ(graph.constant(computed), nullptr);
  EXPECT_EQ(graph.constant(no_value), nullptr);
}

TEST(GraphConstants, AreReplacedWhereTheyStand) {
  Builder b("g");
  const ValueId literal = b.op("Constant", {}, {attr("value", Tensor::scalar(std::int64_t{7}))});
  const ValueId computed = b.op("Neg", {literal});
  Graph graph = std::move(b).finish().graph;
  graph.set_constant(literal, Tensor::scalar(std::int64_t{9}));
  EXPECT_EQ(element_as_int(*graph.constant(literal), 0), 9);
  EXPECT_THROW(graph.set_constant(computed, Tensor::scalar(std::int64_t{1})), Error);
}

// If(flag) { then: y = Relu(x) } { else: If(x) { z = Add(inner, w) } ... }, where `inner` belongs to the outer branch.
TEST(Captures, NamesFromOutsideAtAnyDepth) {
  const auto deep = std::make_shared<Graph>();
  for (const char* name : {"inner", "w"}) deep->values[static_cast<std::size_t>(deep->value(name))].captured = true;
  node(*deep, "Add", {"inner", "w"}, "z");
  const auto outer = std::make_shared<Graph>();
  for (const char* name : {"x"}) outer->values[static_cast<std::size_t>(outer->value(name))].captured = true;
  node(*outer, "Relu", {"x"}, "inner");
  Node nested{.op = "If", .inputs = {outer->value("x")}, .outputs = {outer->value("y")}};
  nested.attributes.push_back(attr("then_branch", GraphPtr(deep)));
  outer->nodes.push_back(nested);

  Graph graph = input_x();
  node(graph, "If", {"x"}, "out");
  graph.nodes[0].attributes.push_back(attr("then_branch", GraphPtr(outer)));
  EXPECT_EQ(captured_names(graph.nodes[0]), (std::vector<std::string>{"x", "w"}));

  // What a subgraph captures is an operand: its producer comes first.
  node(graph, "Neg", {"x"}, "w");
  graph.sort();
  EXPECT_EQ(graph.nodes[0].op, "Neg");
  const auto consumers = graph.consumers();
  EXPECT_EQ(consumers[static_cast<std::size_t>(graph.find("w"))], std::vector<std::int32_t>{1});
}

TEST(NodeAttributes, AreReadByKind) {
  Node n{.op = "Op", .name = "n"};
  n.set("axis", std::int64_t{3});
  n.set("axis", std::int64_t{4});
  n.set("list", std::vector<std::int64_t>{1, 2});
  EXPECT_EQ(n.attributes.size(), 2u);
  EXPECT_EQ(n.int_or("axis", 0), 4);
  EXPECT_EQ(n.int_or("absent", -5), -5);
  EXPECT_EQ(n.ints("list").size(), 2u);
  EXPECT_TRUE(n.ints("absent").empty());
  EXPECT_THROW(n.float_or("axis", 0), Error);
  EXPECT_THROW(n.string_or("list", ""), Error);
  n.erase("axis");
  EXPECT_FALSE(n.has("axis"));
}

}  // namespace
}  // namespace coppice::graph
