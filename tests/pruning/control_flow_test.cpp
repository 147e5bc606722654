#include "coppice/graph/control_flow.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "coppice/pruning/cut.hpp"

#include "pruning/check.hpp"
#include "pruning/prepared.hpp"

namespace coppice::pruning {
namespace {

using graph::attr;
using graph::DType;

/// One operator on what it captures, without a declared type.
graph::GraphPtr branch(const std::string& op, const std::vector<std::string>& captured) {
  graph::Graph g;
  graph::Node node{.op = op};
  for (const std::string& name : captured) {
    node.inputs.push_back(g.value(name));
    g.values.back().captured = true;
  }
  node.outputs = {g.value(op + "_result")};
  g.outputs = node.outputs;
  g.nodes.push_back(std::move(node));
  g.reindex();
  return std::make_shared<graph::Graph>(std::move(g));
}

std::size_t ifs(const graph::Model& model) {
  return static_cast<std::size_t>(std::count_if(model.graph.nodes.begin(), model.graph.nodes.end(),
                                                [](const graph::Node& node) { return node.is("If"); }));
}

/// x (2, 3) -> hidden (2, 8) -> [If: rank(hidden) == 2] -> y (2, 4) -> [the same on y].
Prepared two_conditions() {
  graph::Builder b("conditions");
  const auto x = b.input("x", DType::float32, {{2, ""}, {3, ""}});
  const auto hidden = b.op("MatMul", {x, b.initializer("a", filled({3, 8}))}, {}, "hidden");
  const auto either = [&](const std::string& name, graph::ValueId value) {
    const auto rank = b.op("Size", {b.op("Shape", {value}, {}, name + ".shape")}, {}, name + ".rank");
    const auto is = b.op("Equal", {rank, b.initializer(name + ".two", graph::Tensor::scalar(std::int64_t{2}))});
    const std::string of(b.graph().name_of(value));
    return b.op("If", {is},
                {attr("then_branch", graph::AttributeValue(branch("Relu", {of}))),
                 attr("else_branch", graph::AttributeValue(branch("Neg", {of})))},
                name);
  };
  const auto y = b.op("MatMul", {either("inner", hidden), b.initializer("b", filled({8, 4}))}, {}, "y");
  b.output(either("outer", y), DType::float32, {{2, ""}, {4, ""}});
  return prepare(std::move(b).finish());
}

TEST(ControlFlow, ConditionsAreFollowedAndComeBackWhereNothingShrinks) {
  const Prepared prepared = two_conditions();
  EXPECT_EQ(prepared.regions.size(), 2u);
  std::vector<std::uint8_t> removed(prepared.couplings.units().size(), 0);
  const auto hidden = prepared.couplings.track(prepared.couplings.axes(prepared.model.graph.find("a"))[1].track);
  ASSERT_EQ(hidden.size(), 8u);
  EXPECT_FALSE(prepared.couplings.units()[static_cast<std::size_t>(hidden[0])].locked);

  const graph::Model whole = cut(prepared, removed);
  EXPECT_EQ(ifs(whole), 2u);
  check_cut(prepared, removed, whole);

  for (std::size_t i = 0; i < 4; ++i) removed[static_cast<std::size_t>(hidden[i])] = 1;
  const graph::Model small = cut(prepared, removed);
  EXPECT_EQ(ifs(small), 1u);  // the other one's sizes have changed
  EXPECT_EQ(small.graph.nodes.back().name, "outer");
  EXPECT_EQ(small.graph.constant(small.graph.find("b"))->shape, (graph::Shape{4, 4}));
  check_cut(prepared, removed, small);

  EXPECT_EQ(ifs(soften(prepared, removed)), 2u);
  EXPECT_EQ(ifs(twin(prepared, removed)), 2u);
}

TEST(ControlFlow, TheCheckSeesAWrongShapeInsideARegion) {
  const Prepared prepared = two_conditions();
  const std::vector<std::uint8_t> removed(prepared.couplings.units().size(), 0);
  graph::Model wrong = cut(prepared, removed);
  wrong.graph.set_constant(wrong.graph.find("a"), filled({3, 7}));
  EXPECT_THROW(check_cut(prepared, removed, wrong), Error);
}

}  // namespace
}  // namespace coppice::pruning
