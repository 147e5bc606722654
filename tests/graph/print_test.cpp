#include "coppice/graph/print.hpp"

#include <gtest/gtest.h>

#include "coppice/graph/builder.hpp"

namespace coppice::graph {
namespace {

Graph small() {
  Builder b("main");
  const ValueId x = b.input("x", DType::float32, {{-1, "N"}, {3, {}}, {-1, {}}});
  const ValueId w = b.initializer("fc.weight", Tensor::of<float>(DType::float32, {3, 2}, std::vector<float>(6)));
  const ValueId h = b.op("MatMul", {x, w}, {}, "h");
  const ValueId c = b.op("Clip", {h, no_value, b.real_scalar(6)}, {}, "my clip");
  b.output(
      b.op("MatMul", {c, w}, {attr("axes", std::vector<std::int64_t>{0, 1}), attr("mode", std::string("a\"b"))}, "y"),
      DType::float32, {{-1, "N"}});
  return std::move(b).finish().graph;
}

TEST(Text, OneLineANode) {
  EXPECT_EQ(to_text(small()),
            "graph \"main\" (x: float32[N,3,?]) -> (y: float32[N])\n"
            "h = MatMul(x, fc.weight: float32[3,2])\n"
            "\"my clip\" = Clip(h, _, scalar: float32[])\n"
            "y = MatMul(\"my clip\", fc.weight) {axes=[0,1], mode=\"a\\\"b\"}\n");
}

TEST(Text, SubgraphsFollowTheirNode) {
  const auto branch = [](const std::string& name, const std::string& op) {
    const auto graph = std::make_shared<Graph>();
    graph->name = name;
    graph->nodes.push_back({.op = op, .outputs = {graph->value("r")}});
    graph->outputs = {graph->value("r")};
    return graph;
  };
  Graph graph;
  graph.name = "g";
  Node node{.op = "If", .outputs = {graph.value("y")}};
  const auto yes = branch("yes", "A");
  yes->nodes[0].attributes.push_back(attr("body", GraphPtr(branch("deep", "C"))));
  node.attributes = {attr("then_branch", GraphPtr(yes)), attr("else_branch", GraphPtr(branch("no", "B")))};
  graph.nodes.push_back(node);
  graph.nodes.push_back({.op = "Last", .outputs = {graph.value("z"), no_value}});
  EXPECT_EQ(to_text(graph),
            "graph \"g\" () -> ()\n"
            "y = If() {then_branch=graph \"yes\", else_branch=graph \"no\"}\n"
            "  graph \"yes\" () -> (r: undefined)\n"
            "  r = A() {body=graph \"deep\"}\n"
            "    graph \"deep\" () -> (r: undefined)\n"
            "    r = C()\n"
            "  graph \"no\" () -> (r: undefined)\n"
            "  r = B()\n"
            "z, _ = Last()\n");
}

TEST(Text, AttributesOfEveryKind) {
  Graph graph;
  Node node{.op = "Op", .outputs = {graph.value("y")}};
  node.attributes = {attr("i", 3),
                     attr("f", AttributeValue(0.5F)),
                     attr("t", Tensor::ints(std::vector<std::int64_t>{-1, 64})),
                     attr("fs", std::vector<float>{1, 2.5F}),
                     attr("ss", std::vector<std::string>{"a", "b\n"}),
                     attr("big", std::vector<std::int64_t>(20, 1)),
                     {"later", {}, "outer", {}},
                     {"opaque", {}, {}, "bytes"}};
  graph.nodes.push_back(node);
  EXPECT_EQ(to_text(graph),
            "graph \"\" () -> ()\n"
            "y = Op() {i=3, f=0.5, t=int64[2]{-1,64}, fs=[1,2.5], ss=[\"a\",\"b\\x0a\"], "
            "big=[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,... 20 in all], later=@outer, opaque=?}\n");
}

TEST(Dot, BoxesAndEdges) {
  Builder b("d");
  const ValueId x = b.input("x", DType::float32, {{2, {}}});
  b.output(b.op("Add", {x, b.op("Relu", {x}, {}, "r")}, {}, "y"), DType::float32, {{2, {}}});
  EXPECT_EQ(to_dot(std::move(b).finish().graph),
            "digraph \"d\" {\n"
            "  node [shape=box];\n"
            "  v0 [shape=ellipse, label=\"x [2]\"];\n"
            "  n0 [label=\"Relu \\\"r\\\"\"];\n"
            "  v0 -> n0 [label=\"x\"];\n"
            "  n1 [label=\"Add \\\"y\\\"\"];\n"
            "  v0 -> n1 [label=\"x\"];\n"
            "  n0 -> n1 [label=\"r\"];\n"
            "  o2 [shape=ellipse, label=\"y [2]\"];\n"
            "  n1 -> o2;\n"
            "}\n");
}

}  // namespace
}  // namespace coppice::graph
