#include "coppice/graph/infer.hpp"

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/graph/builder.hpp"

#include "one_node.hpp"

namespace coppice::graph {
namespace {

const Fact& at(const Facts& facts, ValueId id) {
  return facts[static_cast<std::size_t>(id)];
}

TEST(Infer, UnknownOperatorsGiveWhatTheFileDeclares) {
  Builder b("g");
  const ValueId x = b.input("x", DType::float32, {{2, {}}});
  const ValueId told = b.op("Mystery", {x}), partly = b.op("Mystery", {x}), silent = b.op("Mystery", {x});
  b.graph().nodes[0].domain = b.graph().nodes[1].domain = "com.example";
  auto& values = b.graph().values;
  values[static_cast<std::size_t>(told)].dtype = DType::int8;
  values[static_cast<std::size_t>(told)].shape = {{4, {}}, {5, {}}};
  values[static_cast<std::size_t>(partly)].shape = {{-1, "N"}, {5, {}}};
  const Model model = std::move(b).finish();
  const Facts facts = infer(model, model.graph, {{{"x", {2}}}});
  EXPECT_EQ(at(facts, told).dtype, DType::int8);
  EXPECT_EQ(at(facts, told).shape, (Shape{4, 5}));
  EXPECT_EQ(at(facts, partly).shape, (Shape{-1, 5}));
  EXPECT_FALSE(at(facts, silent).ranked);
}

TEST(Infer, WhatFollowsWinsOverTheDeclaration) {
  Builder b("g");
  const ValueId x = b.input("x", DType::float32, {{-1, {}}, {-1, {}}});
  const ValueId y = b.op("Relu", {x});
  b.graph().values[static_cast<std::size_t>(y)].shape = {{9, {}}, {7, {}}};
  const Model model = std::move(b).finish();
  EXPECT_EQ(at(infer(model, model.graph, {{{"x", {2, -1}}}}), y).shape, (Shape{2, 7}));
}

TEST(Infer, InputsWithoutAnEntryKeepTheirDeclaration) {
  Builder b("g");
  const ValueId x = b.input("x", DType::float32, {{3, {}}, {-1, {}}});
  const ValueId y = b.op("Relu", {x});
  const Model model = std::move(b).finish();
  EXPECT_EQ(at(infer(model, model.graph, {}), y).shape, (Shape{3, -1}));
}

TEST(Infer, TolerantGoesOnBehindAContradiction) {
  Builder b("g");
  const ValueId x = b.input("x", DType::float32, {{3, {}}}), y = b.input("y", DType::float32, {{4, {}}});
  const ValueId bad = b.op("Add", {x, y}, {}, "bad"), after = b.op("Relu", {bad}), beside = b.op("Relu", {y});
  const Model model = std::move(b).finish();
  const World world{{{"x", {3}}, {"y", {4}}}};
  EXPECT_THROW(infer(model, model.graph, world), Error);
  std::vector<std::string> problems;
  const Facts facts = infer_tolerant(model, model.graph, world, &problems);
  EXPECT_EQ(problems, std::vector<std::string>{"Add \"bad\": expected shapes that broadcast, found 3 and 4"});
  EXPECT_FALSE(at(facts, after).ranked);
  EXPECT_EQ(at(facts, beside).shape, Shape{4});
}

TEST(Infer, ConstantsOfEveryKind) {
  Builder b("g");
  const ValueId literal = b.op("Constant", {}, {attr("value_ints", std::vector<std::int64_t>{3, 4})});
  const ValueId text = b.op("Constant", {}, {attr("value_strings", std::vector<std::string>{"a", "b"})});
  const ValueId large = b.ints(std::vector<std::int64_t>(static_cast<std::size_t>(content_limit) + 1, 1));
  const Model model = std::move(b).finish();
  const Facts facts = initial_facts(model, model.graph, {});
  EXPECT_EQ(at(facts, literal).int_values(), (std::vector<std::int64_t>{3, 4}));
  EXPECT_EQ(at(facts, large).shape, Shape{content_limit + 1});
  EXPECT_EQ(at(facts, large).content, nullptr);
  EXPECT_EQ(at(infer(model, model.graph, {}), text).shape, Shape{2});
  EXPECT_EQ(at(infer(model, model.graph, {}), text).dtype, DType::string);
}

TEST(Infer, IfHasTheShapeThatBothBranchesDeclare) {
  const auto branch = [](Shape shape) {
    const auto graph = std::make_shared<Graph>();
    const ValueId out = graph->value("r");
    graph->outputs = {out};
    graph->values[0].dtype = DType::float32;
    graph->values[0].shape.emplace();
    for (std::int64_t extent : shape) graph->values[0].shape->push_back({extent, {}});
    return GraphPtr(graph);
  };
  const auto result = [&](Shape yes, Shape no) {
    OneNode n("If");
    n.in({}, DType::boolean)
        .with("then_branch", AttributeValue(branch(yes)))
        .with("else_branch", AttributeValue(branch(no)));
    return n.shape();
  };
  EXPECT_EQ(result({2, 3}, {2, 3}), (Shape{2, 3}));
  EXPECT_EQ(result({2, 3}, {2, 4}), (Shape{2, -1}));
  EXPECT_EQ(result({2, 3}, {2}), Shape{-99});
  OneNode known("If");
  known.constant(tensor::from_ints(DType::boolean, {}, std::vector<std::int64_t>{0}));
  known.with("then_branch", AttributeValue(branch({2}))).with("else_branch", AttributeValue(branch({5, 6})));
  EXPECT_EQ(known.shape(), (Shape{5, 6}));
}

TEST(Infer, OperandsThatAreMissingAreAnError) {
  for (const OpDef& def : all_ops()) {
    if (!def.infer) continue;
    OneNode node(def.op, 21, def.domain);
    try {
      node.infer(2);
    } catch (const Error&) {
    }  // an Error or nothing, never a crash
  }
  EXPECT_THROW(OneNode("Add").in({2}).infer(), Error);
}

TEST(Infer, EveryOperatorSurvivesAbsurdOperands) {
  const std::vector<Shape> shapes{{}, {0}, {-1}, {1, 0}, {-1, -1, -1, -1}, {INT64_MAX, INT64_MAX}, {2, 3, 4, 5, 6}};
  for (const OpDef& def : all_ops()) {
    if (!def.infer) continue;
    for (const Shape& shape : shapes) {
      for (const bool constant : {false, true}) {
        OneNode node(def.op, 21, def.domain);
        node.in(shape);
        for (int i = 0; i < 4; ++i) {
          if (constant)
            node.ints({INT64_MIN, -1, 0, INT64_MAX});
          else
            node.in(shape, DType::int64);
        }
        try {
          node.infer(3);
        } catch (const Error&) {
        }
      }
    }
  }
}

TEST(Infer, ShapesOfAbsurdRankAreNotFollowed) {
  const Shape high(65, 1), fits(64, 1);
  EXPECT_EQ(OneNode("Relu").in(high).shape(), Shape{-99});
  EXPECT_EQ(OneNode("Relu").in(fits).shape(), fits);
  EXPECT_EQ(OneNode("Unsqueeze").in(fits).ints({0}).shape(), Shape{-99});
}

TEST(Infer, LongContentsOfManyNodesAreBounded) {
  Builder b("g");
  ValueId x = b.ints(std::vector<std::int64_t>(static_cast<std::size_t>(content_limit), 1));
  const ValueId first = b.op("Neg", {x});
  x = first;
  for (int i = 0; i < 3000; ++i) x = b.op("Neg", {x});
  const Model model = std::move(b).finish();
  const Facts facts = infer(model, model.graph, {});
  std::size_t elements = 0;
  for (const Fact& fact : facts) elements += fact.content ? fact.content->ints.size() : 0;
  EXPECT_NE(at(facts, first).content, nullptr);
  EXPECT_EQ(at(facts, x).content, nullptr);
  EXPECT_EQ(at(facts, x).shape, Shape{content_limit});
  EXPECT_LE(elements, (std::size_t{1} << 22) + static_cast<std::size_t>(content_limit));
}

TEST(NodeMacs, AreZeroWhereThereAreNone) {
  OneNode relu("Relu"), unknown("Mystery");
  EXPECT_EQ(relu.in({2, 3}).macs(), 0);
  EXPECT_EQ(unknown.in({2, 3}).macs(), 0);
}

}  // namespace
}  // namespace coppice::graph
