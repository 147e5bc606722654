#include <gtest/gtest.h>

#include "coppice/graph/print.hpp"

#include "graph/control_flow_support.hpp"

namespace coppice::graph {
namespace {

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

TEST(ControlFlow, LeavesAModelWithoutControlFlowAlone) {
  Outer o;
  o.op("y", "Relu", {"x"});
  Model model = o.finish({"y"});
  EXPECT_TRUE(resolve_control_flow(model, {{"no such input", {1}}}).empty());  // nothing is inferred
}

}  // namespace
}  // namespace coppice::graph
