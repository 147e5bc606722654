#include <gtest/gtest.h>

#include "coppice/base/error.hpp"

#include "one_node.hpp"

/// If, Loop and Scan, whose bodies see the values around them.
namespace coppice {
namespace {
using namespace one_node;

using Names = std::vector<std::string>;

graph::Node node(graph::Graph& graph, const std::string& op, const Names& inputs, const Names& outputs) {
  graph::Node out;
  out.op = op;
  for (const std::string& name : inputs) out.inputs.push_back(name.empty() ? graph::no_value : graph.value(name));
  for (const std::string& name : outputs) out.outputs.push_back(graph.value(name));
  return out;
}

struct Line {
  std::string op;
  Names inputs, outputs;
};

graph::GraphPtr body(const Names& inputs, const std::vector<Line>& lines, const Names& outputs) {
  auto out = std::make_shared<graph::Graph>();
  for (const std::string& name : inputs) out->inputs.push_back(out->value(name));
  for (const Line& line : lines) out->nodes.push_back(node(*out, line.op, line.inputs, line.outputs));
  for (const std::string& name : outputs) out->outputs.push_back(out->value(name));
  out->reindex();
  // What no one defines here is taken from around.
  for (graph::Value& value : out->values) value.captured = value.producer < 0 && !value.is_input;
  return out;
}

struct Loop {
  Line line;
  std::vector<graph::Attribute> attributes;
  std::int64_t opset = 16;
};

std::vector<at::Tensor> run(const Loop& loop, const Names& names, const std::vector<at::Tensor>& inputs) {
  graph::Model model;
  model.opsets = {{"", loop.opset}};
  graph::Graph& graph = model.graph;
  for (std::size_t i = 0; i < names.size(); ++i) {
    graph.inputs.push_back(graph.value(names[i]));
    graph.values.back().dtype = element_type(inputs[i].scalar_type());
  }
  graph.nodes.push_back(node(graph, loop.line.op, loop.line.inputs, loop.line.outputs));
  graph.nodes.back().attributes = loop.attributes;
  for (const std::string& name : loop.line.outputs) graph.outputs.push_back(graph.value(name));
  graph.reindex();
  GraphModule module(std::move(model));
  return module.run(inputs);
}

at::Tensor truth(bool value) {
  return at::scalar_tensor(value, at::kBool);
}

TEST(LoopKernels, IfTakesOneBranchWithItsGradient) {
  const Loop loop{
      {"If", {"c"}, {"y"}},
      {attr("then_branch", body({}, {{"Mul", {"x", "x"}, {"a"}}}, {"a"})), attr("else_branch", body({}, {}, {"x"}))}};
  for (const bool taken : {true, false}) {
    const at::Tensor x = reals({3}).set_requires_grad(true);
    const at::Tensor y = run(loop, {"c", "x"}, {truth(taken), x}).at(0);
    EXPECT_EQ(y.item<double>(), taken ? 9 : 3);
    y.sum().backward();
    EXPECT_EQ(x.grad().item<double>(), taken ? 6 : 1);
  }
}

// s = s * x, and the new s is collected; ends when told to, or when s is 20 or more.
Loop powers() {
  return {
      {"Loop", {"n", "go", "s"}, {"last", "all"}},
      {attr("body",
            body({"i", "c", "s0"},
                 {{"Mul", {"s0", "x"}, {"s1"}}, {"Less", {"s1", "limit"}, {"more"}}, {"Identity", {"s1"}, {"seen"}}},
                 {"more", "s1", "seen"}))}};
}

TEST(LoopKernels, LoopCarriesCollectsAndStops) {
  const Names names{"n", "go", "s", "x", "limit"};
  const auto powers_of_two = [&](std::int64_t rounds, bool go, double limit) {
    return run(powers(), names,
               {at::scalar_tensor(rounds, at::kLong), truth(go), reals({1}), reals({2}), reals({limit})});
  };
  std::vector<at::Tensor> out = powers_of_two(3, true, 100);
  EXPECT_TRUE(at::equal(out.at(0), reals({8})));
  EXPECT_TRUE(at::equal(out.at(1), reals({2, 4, 8}).reshape({3, 1})));
  out = powers_of_two(30, true, 20);
  EXPECT_TRUE(at::equal(out.at(0), reals({32})));
  EXPECT_EQ(out.at(1).size(0), 5);
  out = powers_of_two(3, false, 100);
  EXPECT_TRUE(at::equal(out.at(0), reals({1})));
  EXPECT_EQ(out.at(1).size(0), 0);
}

TEST(LoopKernels, LoopHasAGradient) {
  const at::Tensor x = reals({2}).set_requires_grad(true);
  const std::vector<at::Tensor> out = run(powers(), {"n", "go", "s", "x", "limit"},
                                          {at::scalar_tensor(3, at::kLong), truth(true), reals({1}), x, reals({100})});
  out.at(0).sum().backward();
  EXPECT_EQ(x.grad().item<double>(), 12);  // 3 x^2
}

graph::Attribute running_sum() {
  return attr("body",
              body({"s0", "v"}, {{"Add", {"s0", "v"}, {"s1"}}, {"Identity", {"s1"}, {"seen"}}}, {"s1", "seen"}));
}

TEST(LoopKernels, ScanGoesAlongAnyAxisEitherWay) {
  const at::Tensor x = reals({1, 2, 3, 10, 20, 30}).reshape({2, 3});
  const Loop scan{
      {"Scan", {"s", "x"}, {"last", "all"}},
      {running_sum(), whole("num_scan_inputs", 1), list("scan_input_axes", {1}), list("scan_input_directions", {1}),
       list("scan_output_axes", {-1}), list("scan_output_directions", {1})}};
  const std::vector<at::Tensor> out = run(scan, {"s", "x"}, {reals({0, 0}), x});
  EXPECT_TRUE(at::equal(out.at(0), reals({6, 60})));
  EXPECT_TRUE(at::equal(out.at(1), reals({6, 5, 3, 60, 50, 30}).reshape({2, 3})));
}

TEST(LoopKernels, TheFirstScanHasABatchWithLengths) {
  const at::Tensor x = reals({1, 2, 3, 10, 20, 30}).reshape({2, 3, 1});
  const Loop scan{{"Scan", {"n", "s", "x"}, {"last", "all"}}, {running_sum(), whole("num_scan_inputs", 1)}, 8};
  const std::vector<at::Tensor> out = run(scan, {"n", "s", "x"}, {ints({3, 2}), at::zeros({2, 1}, at::kDouble), x});
  EXPECT_TRUE(at::equal(out.at(0), reals({6, 30}).reshape({2, 1})));
  EXPECT_TRUE(at::equal(out.at(1), reals({1, 3, 6, 10, 30, 0}).reshape({2, 3, 1})));
  EXPECT_THROW(run(scan, {"n", "s", "x"}, {ints({3, 4}), at::zeros({2, 1}, at::kDouble), x}), Error);
}

}  // namespace
}  // namespace coppice
