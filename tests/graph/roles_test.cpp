#include <gtest/gtest.h>

#include "coppice/graph/builder.hpp"
#include "coppice/graph/parameters.hpp"

namespace coppice::graph {
namespace {

Tensor floats(Shape shape, float first = 0.5f) {
  std::vector<float> values(static_cast<std::size_t>(tensor::element_count(shape)));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = first + static_cast<float>(i);
  return Tensor::of<float>(DType::float32, std::move(shape), values);
}

Tensor bytes(Shape shape) {
  const std::vector<std::int8_t> values(static_cast<std::size_t>(tensor::element_count(shape)), 3);
  return Tensor::of<std::int8_t>(DType::int8, std::move(shape), values);
}

struct Net {
  Builder b{"net"};
  ValueId x = b.input("x", DType::float32, {{1, ""}, {4, ""}, {8, ""}, {8, ""}});
  ValueId real(std::string_view name, Shape shape, float first = 0.5f) {
    return b.initializer(name, floats(std::move(shape), first));
  }
  Role role(std::string_view name) {
    b.graph().reindex();
    return constant_roles(b.graph())[static_cast<std::size_t>(b.graph().find(name))];
  }
};

TEST(Roles, OfAConvolutionAndItsBatchNorm) {
  Net n;
  const ValueId y = n.b.op("Conv", {n.x, n.real("w", {6, 4, 3, 3}), n.real("b", {6})});
  n.b.op("BatchNormalization", {y, n.real("gamma", {6}), n.real("beta", {6}), n.real("mean", {6}), n.real("var", {6})});
  EXPECT_EQ(n.role("w"), Role::weight);
  EXPECT_EQ(n.role("b"), Role::bias);
  EXPECT_EQ(n.role("gamma"), Role::scale);
  EXPECT_EQ(n.role("beta"), Role::bias);
  EXPECT_EQ(n.role("mean"), Role::buffer);
  EXPECT_EQ(n.role("var"), Role::buffer);
  EXPECT_EQ(n.role("x"), Role::none);
}

TEST(Roles, PassThroughComputationsOnConstants) {
  Net n;
  const ValueId w = n.b.op("Transpose", {n.b.op("Mul", {n.real("v", {8, 5}), n.real("g", {1, 5})})}, {});
  n.b.op("MatMul", {n.x, n.b.op("Transpose", {w})});
  EXPECT_EQ(n.role("v"), Role::weight);
  EXPECT_EQ(n.role("g"), Role::weight);
}

TEST(Roles, TheFirstOfSeveralUsesCounts) {
  Net n;
  const ValueId shared = n.real("shared", {8, 8});
  n.b.op("Add", {n.x, shared});
  n.b.op("Mul", {n.x, shared});
  EXPECT_EQ(n.role("shared"), Role::scale);
  n.b.op("MatMul", {n.x, shared});
  EXPECT_EQ(n.role("shared"), Role::weight);
}

TEST(Roles, ScalarsAndShapesAreNoParameters) {
  Net n;
  const ValueId half = n.b.initializer("half", Tensor::scalar(0.5f));
  const ValueId one = n.b.op("Constant", {}, {attr("value", AttributeValue(floats({1})))}, "one");
  n.b.op("Mul", {n.b.op("Mul", {n.x, half}), one});
  const ValueId target = n.b.initializer("target", Tensor::ints(std::vector<std::int64_t>{1, -1}));
  n.b.op("Reshape", {n.x, target});
  EXPECT_EQ(n.role("half"), Role::none);
  EXPECT_EQ(n.role("one"), Role::none);
  EXPECT_EQ(n.role("target"), Role::none);
}

TEST(Roles, ConstantNodesCount) {
  Net n;
  const ValueId w = n.b.op("Constant", {}, {attr("value", AttributeValue(floats({2, 4, 1, 1})))}, "w");
  n.b.op("Conv", {n.x, w});
  EXPECT_EQ(n.role("w"), Role::weight);
}

TEST(Roles, QuantisedWeightsCountAndTheirScalesDoNot) {
  Net n;
  const ValueId w = n.b.initializer("w", bytes({2, 4, 1, 1}));
  const ValueId d =
      n.b.op("DequantizeLinear", {w, n.real("s", {2}), n.b.initializer("z", bytes({2}))}, {attr("axis", 0)});
  n.b.op("Conv", {n.x, d});
  n.b.op("MatMulInteger",
         {n.x, n.b.initializer("v", bytes({8, 3})), graph::no_value, n.b.initializer("vz", bytes({1}))});
  EXPECT_EQ(n.role("w"), Role::weight);
  EXPECT_EQ(n.role("s"), Role::buffer);
  EXPECT_EQ(n.role("z"), Role::buffer);
  EXPECT_EQ(n.role("v"), Role::weight);
  EXPECT_EQ(n.role("vz"), Role::buffer);
}

TEST(Roles, MasksAreBuffersAndPositionsParameters) {
  Net n;
  const std::vector<float> cells{0, -1e9f, 0, 0};
  const ValueId mask = n.b.initializer("mask", Tensor::of<float>(DType::float32, {2, 2}, cells));
  n.b.op("Add", {n.x, mask});
  n.b.op("Add", {n.x, n.real("positions", {8, 8})});
  EXPECT_EQ(n.role("mask"), Role::buffer);
  EXPECT_EQ(n.role("positions"), Role::bias);
}

TEST(Roles, EmbeddingsAreWeightsEvenWhereTheyAreScaledLater) {
  Net n;
  const ValueId ids = n.b.input("ids", DType::int64, {{-1, ""}});
  const ValueId word = n.b.op("Gather", {n.real("words", {10, 8}), ids});
  n.b.op("Mul", {word, word});
  EXPECT_EQ(n.role("words"), Role::weight);
}

TEST(Roles, RotaryTablesAreBuffers) {
  Net n;
  const ValueId end = n.b.input("end", DType::int64, {{1, ""}});
  const std::vector<float> cells{1, 1, 0.5f, 0.9f};
  const ValueId table = n.b.initializer("cos", Tensor::of<float>(DType::float32, {2, 2}, cells));
  const ValueId rows = n.b.op("Slice", {table, n.b.ints({0}), end, n.b.ints({0})});
  n.b.op("Mul", {n.x, rows});
  EXPECT_EQ(n.role("cos"), Role::buffer);
}

TEST(Roles, AGroupNormInPartsHasNoParametersOfItsOwn) {
  Net n;
  const auto vector = [&](std::string_view name, float value) {
    const std::vector<float> values(2, value);
    return n.b.initializer(name, Tensor::of<float>(DType::float32, {2}, values));
  };
  const ValueId grouped = n.b.op("Reshape", {n.x, n.b.ints({1, 2, -1})});
  n.b.op("InstanceNormalization", {grouped, vector("ones", 1), vector("zeros", 0)});
  EXPECT_EQ(n.role("ones"), Role::buffer);
  EXPECT_EQ(n.role("zeros"), Role::buffer);
}

TEST(Roles, CustomLayersCount) {
  Net n;
  n.b.op("Mystery", {n.x, n.real("table", {4, 4}), n.real("vector", {4})}, {}, "mystery");
  n.b.graph().nodes.back().domain = "example";
  EXPECT_EQ(n.role("table"), Role::weight);
  EXPECT_EQ(n.role("vector"), Role::bias);
}

TEST(Roles, UsesInsideBranchesCount) {
  Net n;
  const ValueId condition = n.b.input("condition", DType::boolean, {});
  n.real("w", {6, 4, 3, 3});
  auto branch = std::make_shared<Graph>();
  const ValueId x = branch->value("x"), w = branch->value("w");
  branch->values[static_cast<std::size_t>(x)].captured = branch->values[static_cast<std::size_t>(w)].captured = true;
  branch->nodes.push_back({.op = "Conv", .inputs = {x, w}, .outputs = {branch->value("y")}});
  branch->outputs = {branch->value("y")};
  branch->reindex();
  n.b.op("If", {condition}, {attr("then_branch", AttributeValue(branch)), attr("else_branch", AttributeValue(branch))});
  EXPECT_EQ(n.role("w"), Role::weight);
}

TEST(OutputAxis, ByOperator) {
  Node node{.op = "Conv"};
  EXPECT_EQ(output_axis(node, 1, 4), 0);
  EXPECT_EQ(output_axis(node, 2, 1), -1);
  node.op = "ConvTranspose";
  EXPECT_EQ(output_axis(node, 1, 4), 1);
  node.op = "Gemm";
  EXPECT_EQ(output_axis(node, 1, 2), 1);
  node.set("transB", std::int64_t{1});
  EXPECT_EQ(output_axis(node, 1, 2), 0);
  EXPECT_EQ(output_axis(node, 0, 2), 0);
  node.op = "MatMul";
  EXPECT_EQ(output_axis(node, 1, 3), 2);
  EXPECT_EQ(output_axis(node, 0, 3), 1);
  EXPECT_EQ(output_axis(node, 1, 1), -1);
  node.op = "LSTM";
  EXPECT_EQ(output_axis(node, 1, 3), 1);
  EXPECT_EQ(output_axis(node, 2, 3), 1);
  EXPECT_EQ(output_axis(node, 3, 2), -1);
  node.op = "Gather";
  EXPECT_EQ(output_axis(node, 0, 2), 1);
  node.op = "QLinearConv";
  EXPECT_EQ(output_axis(node, 3, 4), 0);
  EXPECT_EQ(output_axis(node, 1, 4), -1);
  node.op = "Einsum";
  node.set("equation", std::string("bik, ok -> bio"));
  EXPECT_EQ(output_axis(node, 1, 2), 0);
  EXPECT_EQ(output_axis(node, 0, 3), 1);
  node.op = "Relu";
  EXPECT_EQ(output_axis(node, 0, 4), -1);
}

}  // namespace
}  // namespace coppice::graph
