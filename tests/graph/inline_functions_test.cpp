#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/graph/builder.hpp"
#include "coppice/graph/passes.hpp"

namespace coppice::graph {
namespace {

/// A function whose body is filled by the caller.
Function function(const std::string& name, std::vector<std::string> inputs, std::vector<std::string> outputs) {
  Function f;
  f.domain = "local";
  f.name = name;
  f.inputs = inputs;
  f.outputs = outputs;
  f.body.name = name;
  for (const std::string& input : inputs) f.body.inputs.push_back(f.body.value(input));
  for (const std::string& output : outputs) f.body.outputs.push_back(f.body.value(output));
  f.opsets = {{"", 17}};
  return f;
}

void add(Graph& graph, const std::string& op, const std::vector<std::string>& inputs,
         const std::vector<std::string>& outputs, std::vector<Attribute> attributes = {},
         const std::string& domain = {}, const std::string& name = {}) {
  Node node{.op = op, .domain = domain, .name = name};
  for (const std::string& input : inputs) node.inputs.push_back(input.empty() ? no_value : graph.value(input));
  for (const std::string& output : outputs) node.outputs.push_back(graph.value(output));
  node.attributes = std::move(attributes);
  graph.nodes.push_back(std::move(node));
  graph.reindex();
}

Attribute reference(const std::string& name, const std::string& to) {
  return {name, std::monostate(), to, {}};
}

/// x -> y, with the nodes added by the caller.
Model model_with(std::vector<Function> functions) {
  Model model;
  model.graph.name = "main";
  model.graph.inputs = {model.graph.value("x")};
  model.graph.outputs = {model.graph.value("y")};
  model.opsets = {{"", 17}, {"local", 1}};
  model.functions = std::move(functions);
  return model;
}

/// "Op(inputs) -> outputs; ..."
std::string text(const Graph& graph) {
  std::string out;
  const auto list = [&](const std::vector<ValueId>& ids) {
    std::string names;
    for (ValueId id : ids) names += (names.empty() ? "" : ",") + std::string(id == no_value ? "-" : graph.name_of(id));
    return names;
  };
  for (const Node& node : graph.nodes) {
    if (!out.empty()) out += "; ";
    out += node.op + "(" + list(node.inputs) + ") -> " + list(node.outputs);
  }
  return out;
}

/// A subgraph that takes these names from outside.
GraphPtr capturing(Graph graph, const std::vector<std::string>& names, const std::string& output) {
  for (const std::string& name : names) graph.values[static_cast<std::size_t>(graph.find(name))].captured = true;
  graph.outputs = {graph.find(output)};
  graph.reindex();
  return std::make_shared<Graph>(std::move(graph));
}

const Graph& subgraph(const Node& node, std::string_view name) {
  return *std::get<GraphPtr>(node.find(name)->value);
}

std::string message(Model model) {
  const std::string before = text(model.graph);
  try {
    inline_functions(model);
  } catch (const Error& error) {
    EXPECT_EQ(text(model.graph), before);
    return error.what();
  }
  return "no error";
}

TEST(InlineFunctions, PutsTheBodyInPlaceOfTheCall) {
  Function f = function("f", {"a", "b"}, {"c"});
  add(f.body, "Mul", {"a", "b"}, {"t"}, {}, "", "mul");
  add(f.body, "Relu", {"t"}, {"c"});
  Model model = model_with({f});
  add(model.graph, "Exp", {"x"}, {"e"});
  add(model.graph, "f", {"x", "e"}, {"g"}, {}, "local", "first");
  add(model.graph, "f", {"g", "g"}, {"y"}, {}, "local", "second");
  inline_functions(model);
  EXPECT_EQ(text(model.graph),
            "Exp(x) -> e; Mul(x,e) -> first/t; Relu(first/t) -> g; Mul(g,g) -> second/t; Relu(second/t) -> y");
  EXPECT_EQ(model.graph.nodes[1].name, "first/mul");
  EXPECT_TRUE(model.functions.empty());
  EXPECT_EQ(model.opset(), 17);
  EXPECT_EQ(model.opset("local"), 0);  // nothing uses it any more
}

TEST(InlineFunctions, MakesNamesUnique) {
  Function f = function("f", {"a"}, {"c"});
  add(f.body, "Exp", {"a"}, {"t"});
  add(f.body, "Relu", {"t"}, {"c"});
  Model model = model_with({f});
  add(model.graph, "f", {"x"}, {"f/t"}, {}, "local");
  add(model.graph, "f", {"f/t"}, {"y"}, {}, "local");
  inline_functions(model);
  EXPECT_EQ(text(model.graph), "Exp(x) -> f/t_1; Relu(f/t_1) -> f/t; Exp(f/t) -> f/t_2; Relu(f/t_2) -> y");
}

TEST(InlineFunctions, FollowsNestedCalls) {
  Function inner = function("inner", {"a"}, {"b"});
  add(inner.body, "Neg", {"a"}, {"b"});
  Function outer = function("outer", {"a"}, {"b"});
  add(outer.body, "inner", {"a"}, {"t"}, {}, "local", "call");
  add(outer.body, "inner", {"t"}, {"b"}, {}, "local");
  Model model = model_with({outer, inner});
  add(model.graph, "outer", {"x"}, {"y"}, {}, "local", "o");
  inline_functions(model);
  EXPECT_EQ(text(model.graph), "Neg(x) -> o/t; Neg(o/t) -> y");
}

TEST(InlineFunctions, SubstitutesAttributes) {
  Function f = function("f", {"a"}, {"b"});
  f.attributes = {"alpha", "gone"};
  f.attribute_defaults = {attr("axis", 3)};
  add(f.body, "Op", {"a"}, {"b"}, {reference("p", "alpha"), reference("q", "gone"), reference("r", "axis")});
  Model model = model_with({f});
  add(model.graph, "f", {"x"}, {"t"}, {attr("alpha", 7)}, "local");
  add(model.graph, "f", {"t"}, {"y"}, {attr("alpha", 8), attr("axis", 4)}, "local");
  inline_functions(model);
  ASSERT_EQ(model.graph.nodes.size(), 2u);
  const Node &first = model.graph.nodes[0], &second = model.graph.nodes[1];
  EXPECT_EQ(first.int_or("p", 0), 7);
  EXPECT_EQ(first.int_or("r", 0), 3);
  EXPECT_FALSE(first.has("q"));
  EXPECT_EQ(second.int_or("p", 0), 8);
  EXPECT_EQ(second.int_or("r", 0), 4);
  EXPECT_TRUE(second.find("r")->ref.empty());
}

TEST(InlineFunctions, AnAttributeThatWasNotGivenLeavesTheInnerDefault) {
  Function inner = function("inner", {"a"}, {"b"});
  inner.attribute_defaults = {attr("axis", 5)};
  add(inner.body, "Op", {"a"}, {"b"}, {reference("axis", "axis")});
  Function outer = function("outer", {"a"}, {"b"});
  outer.attributes = {"k"};
  add(outer.body, "inner", {"a"}, {"b"}, {reference("axis", "k")}, "local");
  Model model = model_with({inner, outer});
  add(model.graph, "outer", {"x"}, {"t"}, {}, "local");
  add(model.graph, "outer", {"t"}, {"y"}, {attr("k", 2)}, "local");
  inline_functions(model);
  EXPECT_EQ(model.graph.nodes[0].int_or("axis", 0), 5);
  EXPECT_EQ(model.graph.nodes[1].int_or("axis", 0), 2);
}

TEST(InlineFunctions, AbsentInputsStayAbsent) {
  Function f = function("f", {"a", "b", "c"}, {"d"});
  add(f.body, "Clip", {"a", "b", "c"}, {"d"});
  Model model = model_with({f});
  add(model.graph, "Exp", {"x"}, {"e"});
  add(model.graph, "f", {"x", "", "e"}, {"t"}, {}, "local");
  add(model.graph, "f", {"t"}, {"y"}, {}, "local");
  inline_functions(model);
  EXPECT_EQ(text(model.graph), "Exp(x) -> e; Clip(x,-,e) -> t; Clip(t,-,-) -> y");
}

TEST(InlineFunctions, CopiesOutputsThatAreInputsOrDoubled) {
  Function f = function("f", {"a"}, {"a", "b", "b"});
  add(f.body, "Neg", {"a"}, {"b"});
  Model model = model_with({f});
  add(model.graph, "f", {"x"}, {"p", "q", "r"}, {}, "local", "n");
  add(model.graph, "Sum", {"p", "q", "r"}, {"y"});
  inline_functions(model);
  EXPECT_EQ(text(model.graph), "Neg(x) -> q; Identity(x) -> p; Identity(q) -> r; Sum(p,q,r) -> y");
}

TEST(InlineFunctions, RenamesWhatSubgraphsCapture) {
  Graph branch;
  add(branch, "Neg", {"b"}, {"t"});
  add(branch, "Add", {"t", "s"}, {"u"});
  const GraphPtr shared = capturing(branch, {"b", "s"}, "u");
  Function f = function("f", {"a", "b"}, {"c"});
  add(f.body, "Exp", {"b"}, {"s"});
  add(f.body, "If", {"a"}, {"c"}, {attr("then_branch", shared), attr("else_branch", shared)});
  Model model = model_with({f});
  add(model.graph, "Cond", {"x"}, {"t"});  // a name of the branch
  add(model.graph, "f", {"t", "x"}, {"y"}, {}, "local", "n");
  inline_functions(model);
  EXPECT_EQ(text(model.graph), "Cond(x) -> t; Exp(x) -> n/s; If(t) -> y");
  const Node& node = model.graph.nodes[2];
  EXPECT_EQ(text(subgraph(node, "then_branch")), "Neg(x) -> n/t; Add(n/t,n/s) -> n/u");
  EXPECT_EQ(text(subgraph(node, "else_branch")), "Neg(x) -> n/t_1; Add(n/t_1,n/s) -> n/u_1");
  EXPECT_EQ(captured_names(node), (std::vector<std::string>{"x", "n/s"}));
  EXPECT_EQ(text(*shared), "Neg(b) -> t; Add(t,s) -> u");  // other copies of the model share it
}

TEST(InlineFunctions, TwoCapturedNamesMayBecomeOne) {
  Graph branch;
  add(branch, "Op", {"a", "b", "c"}, {"u"});
  Function f = function("f", {"a", "b", "c"}, {"d"});
  add(f.body, "If", {"a"}, {"d"}, {attr("then_branch", capturing(branch, {"a", "b", "c"}, "u"))});
  Model model = model_with({f});
  add(model.graph, "f", {"x", "x"}, {"y"}, {}, "local", "n");
  inline_functions(model);
  const Graph& inner = subgraph(model.graph.nodes[0], "then_branch");
  EXPECT_EQ(text(inner), "Op(x,x,-) -> n/u");
  EXPECT_NO_THROW(inner.check());
  EXPECT_EQ(captured_names(model.graph.nodes[0]), std::vector<std::string>{"x"});
}

TEST(InlineFunctions, ExpandsCallsInSubgraphs) {
  Function f = function("f", {"a"}, {"b"});
  add(f.body, "Exp", {"a"}, {"t"});
  add(f.body, "Neg", {"t"}, {"b"});
  Graph branch;
  add(branch, "f", {"x"}, {"z"}, {}, "local", "n");
  const GraphPtr shared = capturing(branch, {"x"}, "z");
  Model model = model_with({f});
  add(model.graph, "If", {"x"}, {"y"}, {attr("then_branch", shared)});
  inline_functions(model);
  EXPECT_EQ(text(subgraph(model.graph.nodes[0], "then_branch")), "Exp(x) -> n/t; Neg(n/t) -> z");
  EXPECT_EQ(text(*shared), "f(x) -> z");
}

TEST(InlineFunctions, AGraphGivenAsAttributeKeepsTheCallersNames) {
  Graph branch;
  add(branch, "Neg", {"a"}, {"u"});
  Function f = function("f", {"a"}, {"b"});
  add(f.body, "If", {"a"}, {"b"}, {reference("then_branch", "body")});
  Model model = model_with({f});
  add(model.graph, "Exp", {"x"}, {"a"});  // the branch means this a, not the function's
  add(model.graph, "f", {"x"}, {"y"}, {attr("body", capturing(branch, {"a"}, "u"))}, "local", "n");
  inline_functions(model);
  EXPECT_EQ(text(model.graph), "Exp(x) -> a; If(x) -> y");
  EXPECT_EQ(text(subgraph(model.graph.nodes[1], "then_branch")), "Neg(a) -> n/u");
}

TEST(InlineFunctions, OverloadsAreDifferentFunctions) {
  Function plain = function("f", {"a"}, {"b"}), other = function("f", {"a"}, {"b"});
  other.overload = "2";
  add(plain.body, "Neg", {"a"}, {"b"});
  add(other.body, "Exp", {"a"}, {"b"});
  Model model = model_with({plain, other});
  add(model.graph, "f", {"x"}, {"t"}, {}, "local");
  add(model.graph, "f", {"t"}, {"y"}, {}, "local");
  model.graph.nodes[1].overload = "2";
  inline_functions(model);
  EXPECT_EQ(text(model.graph), "Neg(x) -> t; Exp(t) -> y");
}

TEST(InlineFunctions, ImportsTheFunctionsOperatorSets) {
  Function f = function("f", {"a"}, {"b"});
  add(f.body, "Gelu", {"a"}, {"b"}, {}, "com.microsoft");
  f.opsets = {{"", 13}, {"com.microsoft", 1}};
  Model model = model_with({f});
  add(model.graph, "f", {"x"}, {"y"}, {}, "local");
  inline_functions(model);
  EXPECT_EQ(model.opset(), 17);
  EXPECT_EQ(model.opset("com.microsoft"), 1);
}

TEST(InlineFunctions, RefusesCircles) {
  Function f = function("f", {"a"}, {"b"}), g = function("g", {"a"}, {"b"});
  add(f.body, "g", {"a"}, {"b"}, {}, "local");
  add(g.body, "f", {"a"}, {"b"}, {}, "local");
  Model model = model_with({f, g});
  add(model.graph, "f", {"x"}, {"y"}, {}, "local");
  EXPECT_EQ(message(model), "function \"local.f\" calls itself, or a function that does");
}

TEST(InlineFunctions, RefusesTooManyOperands) {
  Function f = function("f", {"a"}, {"b"});
  add(f.body, "Neg", {"a"}, {"b"});
  Model model = model_with({f});
  add(model.graph, "f", {"x", "x"}, {"y"}, {}, "local");
  EXPECT_EQ(message(model), "local.f \"y\" calls function \"local.f\": expected at most 1 inputs, found 2");
  Model outputs = model_with({f});
  add(outputs.graph, "f", {"x"}, {"y", "z"}, {}, "local");
  EXPECT_EQ(message(outputs), "local.f \"y\" calls function \"local.f\": expected at most 1 outputs, found 2");
}

TEST(InlineFunctions, RefusesTheSameNameTwice) {
  Function f = function("f", {"a"}, {"b"});
  add(f.body, "Neg", {"a"}, {"b"});
  Model model = model_with({f, f});
  add(model.graph, "f", {"x"}, {"y"}, {}, "local");
  EXPECT_EQ(message(model), "function \"local.f\" is defined twice");
}

TEST(InlineFunctions, RefusesToDoubleForever) {
  std::vector<Function> functions;
  for (int i = 0; i < 60; ++i) {
    Function f = function("f" + std::to_string(i), {"a"}, {"b"});
    const std::string next = "f" + std::to_string(i + 1);
    add(f.body, next, {"a"}, {"t"}, {}, "local");
    add(f.body, next, {"t"}, {"b"}, {}, "local");
    functions.push_back(std::move(f));
  }
  Model model = model_with(functions);
  add(model.graph, "f0", {"x"}, {"y"}, {}, "local");
  EXPECT_EQ(message(model), "the model's functions expand to unreasonably many nodes");
}

}  // namespace
}  // namespace coppice::graph
