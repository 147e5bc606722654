#include "coppice/graph/control_flow.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "coppice/graph/builder.hpp"
#include "coppice/graph/print.hpp"

namespace coppice::graph {
namespace {

std::size_t at(ValueId id) {
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

Tensor truth(bool value) {
  return tensor::from_ints(DType::boolean, {}, std::vector<std::int64_t>{value ? 1 : 0});
}

Attribute then_is(GraphPtr graph) {
  return attr("then_branch", AttributeValue(std::move(graph)));
}
Attribute else_is(GraphPtr graph) {
  return attr("else_branch", AttributeValue(std::move(graph)));
}

/// "y = Op(a, b); ...", without constants' types.
std::string nodes_of(const Graph& graph) {
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

std::int64_t constant_int(const Graph& graph, const std::string& name) {
  const Tensor* tensor = graph.constant(graph.find(name));
  return tensor ? tensor::element_as_int(*tensor, 0) : -999;
}

/// Resolves, checks, and expects that restoring gives the same text back.
std::vector<ResolvedRegion> resolve_and_back(Model& model) {
  const std::string before = to_text(model.graph);
  auto regions = resolve_control_flow(model, {});
  model.graph.check();
  Model copy = model;
  restore_control_flow(copy.graph, regions);
  copy.graph.check();
  EXPECT_EQ(to_text(copy.graph), before);
  return regions;
}

TEST(ControlFlow, ResolvesAnIfOnAShape) {
  for (const std::int64_t extent : {3, 4}) {
    Outer o;
    o.extent_is("is", 1, extent);
    o.op("y", "If", {"is"},
         {then_is(Body("yes").add("Relu", {"x"}, {"r"}).add("Exp", {"r"}, {"e"}).finish({"e"})),
          else_is(Body("no").add("Neg", {"x"}, {"n"}).finish({"n"}))});
    Model model = o.finish({"y"});
    const auto regions = resolve_and_back(model);
    ASSERT_EQ(regions.size(), 1u);
    const std::string condition =
        "is.shape = Shape(x); is.dim = Gather(is.shape, is.axis); "
        "is = Equal(is.dim, is.extent); ";
    EXPECT_EQ(nodes_of(model.graph), condition + (extent == 3 ? "y/r = Relu(x); y = Exp(y/r)" : "y = Neg(x)"));
  }
}

TEST(ControlFlow, HandsOutWhatABranchDoesNotCompute) {
  Outer o;
  o.b.initializer("go", truth(true));
  const std::vector<float> half{0.5f};
  o.ops({"a", "b", "c"}, "If", {"go"},
        {then_is(Body("yes")
                     .initializer("w", Tensor::of<float>(DType::float32, {1}, half))
                     .add("Relu", {"x"}, {"r"})
                     .finish({"x", "w", "r"})),
         else_is(Body("no").add("Neg", {"x"}, {"n"}).finish({"n", "n", "n"}))});
  Model model = o.finish({"a", "b", "c"});
  resolve_and_back(model);
  EXPECT_EQ(nodes_of(model.graph), "c = Relu(x); a = Identity(x); b = Identity(a/w)");
  EXPECT_EQ(tensor::element_as_double(*model.graph.constant(model.graph.find("a/w")), 0), 0.5);
}

TEST(ControlFlow, ResolvesAnIfInAnIfAndRenamesWhatNestedSubgraphsCapture) {
  Outer o;
  o.extent_is("is", 1, 3);
  const auto inner = [](const std::string& condition) {
    return std::vector<Attribute>{then_is(Body("t").add("Exp", {"r"}, {"deep"}).finish({"deep"})),
                                  else_is(Body("e").add("Neg", {"x"}, {"deep2"}).finish({"deep2"})),
                                  attr("note", AttributeValue(condition))};
  };
  // The first inner If is static by the outer graph's condition, the second depends on data and stays.
  o.op("y", "If", {"is"},
       {then_is(Body("yes")
                    .add("Relu", {"x"}, {"r"})
                    .add("If", {"is"}, {"s"}, inner("is"))
                    .add("If", {"flag"}, {"d"}, inner("flag"))
                    .add("Add", {"s", "d"}, {"sum"})
                    .finish({"sum"})),
        else_is(Body("no").add("Neg", {"x"}, {"n"}).finish({"n"}))});
  Model model = o.finish({"y"});
  const auto regions = resolve_and_back(model);
  ASSERT_EQ(regions.size(), 2u);
  EXPECT_EQ(regions[1].node.op, "If");
  EXPECT_EQ(nodes_of(model.graph),
            "is.shape = Shape(x); is.dim = Gather(is.shape, is.axis); is = Equal(is.dim, is.extent); "
            "y/r = Relu(x); y/s = Exp(y/r); y/d = If(flag); y = Add(y/s, y/d)");
  const Node& left = model.graph.nodes[5];
  const Graph& branch = *std::get<GraphPtr>(left.find("then_branch")->value);
  EXPECT_EQ(captured_names(left), (std::vector<std::string>{"y/r", "x"}));
  EXPECT_EQ(branch.name_of(branch.nodes[0].inputs[0]), "y/r");
  EXPECT_NE(branch.name_of(branch.nodes[0].outputs[0]), "deep");  // "deep" belongs to the node that may come back
}

TEST(ControlFlow, OneResultMayDecideTheNext) {
  Outer o;
  o.extent_is("is", 1, 3);
  o.op("s", "If", {"is"},
       {then_is(Body("yes").add("Unsqueeze", {"x", "axes"}, {"u"}).finish({"u"})), else_is(Body("no").finish({"x"}))});
  o.b.initializer("axes", Tensor::ints(std::vector<std::int64_t>{0}));
  o.b.initializer("five", Tensor::scalar(std::int64_t{5}));
  o.op("size.shape", "Shape", {"s"});
  o.op("size", "Size", {"size.shape"});
  o.op("is_five", "Equal", {"size", "five"});
  o.op("y", "If", {"is_five"},
       {then_is(Body("yes").add("Relu", {"s"}, {"r"}).finish({"r"})),
        else_is(Body("no").add("Neg", {"s"}, {"n"}).finish({"n"}))});
  Model model = o.finish({"y"});
  EXPECT_EQ(resolve_and_back(model).size(), 2u);
  EXPECT_EQ(model.graph.nodes.back().op, "Relu");
}

TEST(ControlFlow, UnrollsALoopWithCarriedState) {
  Outer o;
  o.b.initializer("three", Tensor::scalar(std::int64_t{3}));
  o.b.initializer("go", truth(true));
  o.op("y", "Loop", {"three", "go", "x"},
       {attr("body", AttributeValue(Body("body")
                                        .input("i")
                                        .input("c")
                                        .input("s")
                                        .initializer("w", Tensor::scalar(2.0f))
                                        .add("Cast", {"i"}, {"f"}, {attr("to", 1)})
                                        .add("Mul", {"s", "w"}, {"m"})
                                        .add("Add", {"m", "f"}, {"t"})
                                        .add("Identity", {"c"}, {"go_on"})
                                        .finish({"go_on", "t"})))});
  Model model = o.finish({"y"});
  const auto regions = resolve_and_back(model);
  ASSERT_EQ(regions.size(), 1u);
  EXPECT_EQ(regions[0].initializers.size(), 5u);  // the weight, the condition, three iteration numbers
  EXPECT_EQ(nodes_of(model.graph),
            "y/0/f = Cast(y/0/i); y/0/m = Mul(x, y/w); y/0/t = Add(y/0/m, y/0/f); y/0/go_on = Identity(y/c); "
            "y/1/f = Cast(y/1/i); y/1/m = Mul(y/0/t, y/w); y/1/t = Add(y/1/m, y/1/f); y/1/go_on = Identity(y/c); "
            "y/2/f = Cast(y/2/i); y/2/m = Mul(y/1/t, y/w); y = Add(y/2/m, y/2/f); y/2/go_on = Identity(y/c)");
  EXPECT_EQ(constant_int(model.graph, "y/2/i"), 2);
  EXPECT_EQ(model.graph.constant(model.graph.find("y/2/i"))->shape, Shape{});
}

GraphPtr stacking_body() {
  return Body("body")
      .input("i")
      .input("c")
      .input("s")
      .add("Exp", {"s"}, {"t"})
      .add("Neg", {"t"}, {"row"})
      .finish({"c", "t", "row"});
}

TEST(ControlFlow, StacksScanOutputs) {
  for (const std::int64_t opset : {11, 17}) {
    Outer o;
    o.b.model().opsets[0].version = opset;
    o.b.initializer("two", Tensor::scalar(std::int64_t{2}));
    o.ops({"last", "all"}, "Loop", {"two", "", "x"}, {attr("body", AttributeValue(stacking_body()))});
    Model model = o.finish({"last", "all"});
    ASSERT_EQ(resolve_and_back(model).size(), 1u);
    const std::string axes = opset == 11 ? ")" : ", last/axes)";
    EXPECT_EQ(nodes_of(model.graph),
              "last/0/t = Exp(x); last/0/row = Neg(last/0/t); "
              "last/0/row_1 = Unsqueeze(last/0/row" +
                  axes +
                  "; last = Exp(last/0/t); last/1/row = Neg(last); "
                  "last/1/row_1 = Unsqueeze(last/1/row" +
                  axes + "; all = Concat(last/0/row_1, last/1/row_1)");
    EXPECT_EQ(model.graph.nodes.back().int_or("axis", -1), 0);
  }
}

TEST(ControlFlow, ALoopWithoutIterationsHandsOnItsState) {
  Outer o;
  o.b.initializer("none", Tensor::scalar(std::int64_t{0}));
  o.op("y", "Loop", {"none", "", "x"}, {attr("body", AttributeValue(stacking_body()))});
  o.b.initializer("stop", truth(false));
  o.op("z", "Loop", {"", "stop", "x"}, {attr("body", AttributeValue(stacking_body()))});
  Model model = o.finish({"y", "z"});
  EXPECT_EQ(resolve_and_back(model).size(), 2u);
  EXPECT_EQ(nodes_of(model.graph), "y = Identity(x); z = Identity(x)");
}

TEST(ControlFlow, LeavesWhatDependsOnDataOrNeverEnds) {
  Outer o;
  o.b.initializer("two", Tensor::scalar(std::int64_t{2}));
  o.b.initializer("many", Tensor::scalar(std::int64_t{257}));
  o.b.initializer("none", Tensor::scalar(std::int64_t{0}));
  o.op("any", "If", {"flag"},
       {then_is(Body("yes").add("Relu", {"x"}, {"r"}).finish({"r"})), else_is(Body("no").finish({"x"}))});
  const auto loop = [&](const std::string& name, const std::string& count, const std::string& condition) {
    o.op(name, "Loop", {count, condition, "x"}, {attr("body", AttributeValue(stacking_body()))});
  };
  loop("maybe", "two", "flag");
  loop("endless", "", "");
  loop("long", "many", "");
  o.ops({"state", "rows"}, "Loop", {"none", "", "x"}, {attr("body", AttributeValue(stacking_body()))});
  o.op("decides", "Loop", {"two", "", "x"},
       {attr("body",
             AttributeValue(
                 Body("body").input("i").input("c").input("s").add("IsNaN", {"s"}, {"nan"}).finish({"nan", "s"})))});
  Model model = o.finish({"any", "maybe", "endless", "long", "rows", "decides"});
  const std::string before = to_text(model.graph);
  EXPECT_TRUE(resolve_and_back(model).empty());
  EXPECT_EQ(to_text(model.graph), before);
}

TEST(ControlFlow, ABatchOfOneMayDecideOtherwise) {
  Outer o({{-1, "batch"}, {3, ""}, {8, ""}, {8, ""}});
  const auto either = [] {
    return std::vector<Attribute>{then_is(Body("yes").add("Relu", {"x"}, {"r"}).finish({"r"})),
                                  else_is(Body("no").add("Neg", {"x"}, {"n"}).finish({"n"}))};
  };
  o.extent_is("alone", 0, 1);
  o.op("a", "If", {"alone"}, either());
  o.extent_is("is", 2, 8);
  o.op("b", "If", {"is"}, either());
  Model model = o.finish({"a", "b"});
  const auto regions = resolve_and_back(model);
  ASSERT_EQ(regions.size(), 1u);
  EXPECT_EQ(regions[0].node.name, "b");
}

TEST(ControlFlow, NestedLoopsShareOneLimit) {
  // 200 x 200 iterations would be 40,000 nodes and more; the outer loop alone is small.
  Outer o;
  o.b.initializer("count", Tensor::scalar(std::int64_t{200}));
  GraphPtr inner = Body("inner").input("j").input("d").input("u").add("Exp", {"u"}, {"v"}).finish({"d", "v"});
  o.op("y", "Loop", {"count", "", "x"},
       {attr("body", AttributeValue(Body("outer")
                                        .input("i")
                                        .input("c")
                                        .input("s")
                                        .add("Loop", {"count", "", "s"}, {"t"}, {attr("body", AttributeValue(inner))})
                                        .finish({"c", "t"})))});
  Model model = o.finish({"y"});
  resolve_and_back(model);
  EXPECT_GT(model.graph.nodes.size(), 200u);
  EXPECT_LE(model.graph.nodes.size(), 20'200u);
}

/// then: Conv(x, inner weight); else: Conv(x, outer weight), which nobody else reads.
Model convolving() {
  Outer o;
  o.extent_is("is", 1, 3);
  const std::vector<float> weight(4 * 3, 1.0f), other(4 * 3, 2.0f);
  o.b.initializer("other", Tensor::of<float>(DType::float32, {4, 3, 1, 1}, other));
  o.op("y", "If", {"is"},
       {then_is(Body("yes")
                    .initializer("w", Tensor::of<float>(DType::float32, {4, 3, 1, 1}, weight))
                    .add("Conv", {"x", "w"}, {"c"})
                    .add("Relu", {"c"}, {"r"})
                    .finish({"r"})),
        else_is(Body("no").add("Conv", {"x", "other"}, {"d"}).finish({"d"}))});
  o.op("z", "Neg", {"y"});
  return o.finish({"z"});
}

TEST(ControlFlow, ACutRegionStaysAndDropsWhatItsNodeNeeded) {
  Model model = convolving();
  const auto regions = resolve_and_back(model);
  const std::vector<float> cut(2 * 3, 1.0f);
  model.graph.set_constant(model.graph.find("y/w"), Tensor::of<float>(DType::float32, {2, 3, 1, 1}, cut));
  restore_control_flow(model.graph, regions);
  model.graph.check();
  EXPECT_EQ(nodes_of(model.graph), "y/c = Conv(x, y/w); y = Relu(y/c); z = Neg(y)");
  EXPECT_EQ(model.graph.initializers.size(), 1u);
}

TEST(ControlFlow, EveryKindOfChangeKeepsARegionInPlace) {
  const auto restored = [](const std::function<void(Graph&)>& change, const std::function<bool(ValueId)>& same = {}) {
    Model model = convolving();
    const auto regions = resolve_control_flow(model, {});
    change(model.graph);
    restore_control_flow(model.graph, regions, same);
    model.graph.check();
    return std::any_of(model.graph.nodes.begin(), model.graph.nodes.end(), [](const Node& n) { return n.is("If"); });
  };
  const auto conv = [](Graph& g) -> Node& { return g.nodes[at(g.values[at(g.find("y/c"))].producer)]; };
  EXPECT_TRUE(restored([](Graph&) {}));
  // The same bytes elsewhere are no change.
  EXPECT_TRUE(restored([](Graph& g) {
    const std::vector<float> weight(4 * 3, 1.0f);
    g.set_constant(g.find("y/w"), Tensor::of<float>(DType::float32, {4, 3, 1, 1}, weight));
  }));
  EXPECT_FALSE(restored([](Graph& g) {
    const std::vector<float> weight(4 * 3, 0.0f);
    g.set_constant(g.find("y/w"), Tensor::of<float>(DType::float32, {4, 3, 1, 1}, weight));
  }));
  EXPECT_FALSE(restored([&](Graph& g) { conv(g).set("group", std::int64_t{3}); }));
  EXPECT_FALSE(restored([&](Graph& g) { conv(g).op = "ConvInteger"; }));
  EXPECT_FALSE(restored([&](Graph& g) {
    const ValueId masked = g.fresh("masked");
    conv(g).inputs[0] = masked;
    g.nodes.insert(g.nodes.begin(), {.op = "Relu", .inputs = {g.find("x")}, .outputs = {masked}});
  }));
  // Somebody else reads what is inside.
  EXPECT_FALSE(restored(
      [](Graph& g) { g.nodes.push_back({.op = "Exp", .inputs = {g.find("y/c")}, .outputs = {g.fresh("spy")}}); }));
  EXPECT_FALSE(restored([](Graph& g) { g.outputs.push_back(g.find("y/c")); }));
  // What only the other branch reads is gone.
  EXPECT_FALSE(restored([](Graph& g) {
    std::erase_if(g.initializers, [&](const Initializer& i) { return i.value == g.find("other"); });
  }));
  // Something in it, or its condition, has another shape or content.
  for (const std::string name : {"x", "y/c", "y", "is", "other"}) {
    const Model model = [] {
      Model m = convolving();
      resolve_control_flow(m, {});
      return m;
    }();
    const ValueId changed = model.graph.find(name);
    ASSERT_NE(changed, no_value);
    EXPECT_FALSE(restored([](Graph&) {}, [&](ValueId id) { return id != changed; })) << name;
  }
}

TEST(ControlFlow, AnUnchangedRegionInsideAChangedOneComesBack) {
  Outer o;
  o.b.initializer("go", truth(true));
  const std::vector<float> half{0.5f}, third{0.25f};
  o.op("y", "If", {"go"},
       {then_is(Body("yes")
                    .initializer("w", Tensor::of<float>(DType::float32, {1}, half))
                    .add("Mul", {"x", "w"}, {"m"})
                    .add("If", {"go"}, {"s"},
                         {then_is(Body("t").add("Exp", {"m"}, {"deep"}).finish({"deep"})),
                          else_is(Body("e").finish({"m"}))})
                    .finish({"s"})),
        else_is(Body("no").finish({"x"}))});
  Model model = o.finish({"y"});
  const auto regions = resolve_and_back(model);
  ASSERT_EQ(regions.size(), 2u);
  model.graph.set_constant(model.graph.find("y/w"), Tensor::of<float>(DType::float32, {1}, third));
  restore_control_flow(model.graph, regions);
  model.graph.check();
  EXPECT_EQ(nodes_of(model.graph), "y/m = Mul(x, y/w); y = If(go)");
}

TEST(ControlFlow, AListThatALoopFillsBecomesPlainValues) {
  Outer o;
  o.b.initializer("two", Tensor::scalar(std::int64_t{2}));
  o.b.initializer("last", Tensor::scalar(std::int64_t{-1}));
  o.b.initializer("first", Tensor::scalar(std::int64_t{0}));
  o.op("empty", "SequenceEmpty", {});
  o.op("filled", "Loop", {"two", "", "empty"},
       {attr("body", AttributeValue(Body("body")
                                        .input("i")
                                        .input("c")
                                        .input("s")
                                        .add("Exp", {"x"}, {"e"})
                                        .add("SequenceInsert", {"s", "e"}, {"t"})
                                        .finish({"c", "t"})))});
  o.op("n", "Neg", {"x"});
  o.op("longer", "SequenceInsert", {"filled", "n", "first"});
  o.op("a", "SequenceAt", {"longer", "last"});
  o.op("b", "ConcatFromSequence", {"longer"}, {attr("axis", 1), attr("new_axis", 0)});
  o.op("c", "SequenceLength", {"filled"});
  Model model = o.finish({"a", "b", "c"});
  const auto regions = resolve_and_back(model);
  ASSERT_EQ(regions.size(), 8u);  // the loop, and a group of seven
  EXPECT_EQ(regions[0].group, -1);
  EXPECT_EQ(regions[1].group, regions[7].group);
  EXPECT_EQ(nodes_of(model.graph),
            "empty = SequenceEmpty(); filled/0/e = Exp(x); filled/0/t = SequenceEmpty(); filled/1/e = Exp(x); "
            "filled = SequenceEmpty(); n = Neg(x); longer = SequenceEmpty(); a = Identity(filled/1/e); "
            "b = Concat(n, filled/0/e, filled/1/e); c = Constant()");
  EXPECT_EQ(constant_int(model.graph, "c"), 2);
  // A change of one element's size keeps the whole group, and the loop, as they are.
  const ValueId changed = model.graph.find("n");
  restore_control_flow(model.graph, regions, [&](ValueId id) { return id != changed; });
  model.graph.check();
  EXPECT_EQ(nodes_of(model.graph),
            "filled/0/e = Exp(x); filled/1/e = Exp(x); n = Neg(x); a = Identity(filled/1/e); "
            "b = Concat(n, filled/0/e, filled/1/e); c = Constant()");
}

TEST(ControlFlow, SplitsIntoAListBecomePlainSplits) {
  Outer o;
  o.b.initializer("five", Tensor::scalar(std::int64_t{5}));
  o.b.initializer("one", Tensor::scalar(std::int64_t{1}));
  o.op("cut", "SplitToSequence", {"x", "five"}, {attr("axis", 2)});
  o.op("a", "SequenceAt", {"cut", "one"});
  o.op("rows", "SplitToSequence", {"x"}, {attr("axis", 0), attr("keepdims", 0)});
  o.op("b", "SequenceAt", {"rows", "one"});
  o.op("whole", "SplitToSequence", {"x", "five"}, {attr("axis", 2)});
  o.op("which", "Cast", {"flag"}, {attr("to", 7)});
  o.op("c", "SequenceAt", {"whole", "which"});
  Model model = o.finish({"a", "b", "c"});
  resolve_and_back(model);
  EXPECT_EQ(nodes_of(model.graph),
            "cut/piece, cut/piece_1 = Split(x, cut/split); cut = SequenceEmpty(); a = Identity(cut/piece_1); "
            "rows/piece, rows/piece_1 = Split(x, rows/split); rows/row = Squeeze(rows/piece, rows/axes); "
            "rows/row_1 = Squeeze(rows/piece_1, rows/axes_1); rows = SequenceEmpty(); b = Identity(rows/row_1); "
            "whole = SplitToSequence(x, five); which = Cast(flag); c = SequenceAt(whole, which)");
  const Tensor& sizes = *model.graph.constant(model.graph.find("cut/split"));
  EXPECT_EQ(tensor::element_as_int(sizes, 0), 5);
  EXPECT_EQ(tensor::element_as_int(sizes, 1), 3);  // of 8
}

TEST(ControlFlow, LeavesAModelWithoutControlFlowAlone) {
  Outer o;
  o.op("y", "Relu", {"x"});
  Model model = o.finish({"y"});
  EXPECT_TRUE(resolve_control_flow(model, {{"no such input", {1}}}).empty());  // nothing is inferred
}

}  // namespace
}  // namespace coppice::graph
