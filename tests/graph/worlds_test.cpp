#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/graph/builder.hpp"
#include "coppice/graph/infer.hpp"

#include "graph/worlds/dims.hpp"

namespace coppice::graph {
namespace {

const Shape& shape_in(const World& world, const std::string& name) {
  for (const auto& [input, shape] : world.inputs)
    if (input == name) return shape;
  throw Error("no input " + name);
}

std::size_t problems(const Model& model, const World& world) {
  std::vector<std::string> out;
  infer_tolerant(model, model.graph, world, &out);
  return out.size();
}

TEST(Worlds, AStaticModelHasOne) {
  Builder b("g");
  b.output(b.op("Relu", {b.input("x", DType::float32, {{1, {}}, {3, {}}})}), DType::float32, {});
  const Model model = std::move(b).finish();
  const Worlds worlds = choose_worlds(model, {});
  EXPECT_FALSE(worlds.dynamic);
  EXPECT_EQ(shape_in(worlds.first, "x"), (Shape{1, 3}));
  EXPECT_EQ(worlds.first.inputs, worlds.second.inputs);
  EXPECT_EQ(worlds.first.inputs, worlds.counting.inputs);
}

TEST(Worlds, EveryDynamicExtentDiffers) {
  Builder b("g");
  const ValueId x = b.input("x", DType::float32, {{-1, "N"}, {3, {}}, {-1, {}}, {-1, {}}});
  b.output(b.op("Relu", {x}), DType::float32, {});
  const Model model = std::move(b).finish();
  const Worlds worlds = choose_worlds(model, {});
  const Shape first = shape_in(worlds.first, "x"), second = shape_in(worlds.second, "x");
  EXPECT_TRUE(worlds.dynamic);
  EXPECT_EQ(first, (Shape{2, 3, 224, 256}));
  EXPECT_EQ(second[1], 3);
  for (std::size_t d : {0, 2, 3}) {
    EXPECT_NE(first[d], second[d]);
    EXPECT_GE(second[d], 2);
  }
  EXPECT_NE(second[2], second[3]);
  EXPECT_EQ(shape_in(worlds.counting, "x"), (Shape{1, 3, 224, 224}));
}

TEST(Worlds, OneNameIsOneExtent) {
  Builder b("g");
  const ValueId ids = b.input("ids", DType::int64, {{-1, "batch"}, {-1, "sequence"}});
  const ValueId mask = b.input("mask", DType::int64, {{-1, "batch"}, {-1, "sequence"}});
  b.output(b.op("Add", {ids, mask}), DType::int64, {});
  const Worlds worlds = choose_worlds(std::move(b).finish(), {});
  for (const World* world : {&worlds.first, &worlds.second})
    EXPECT_EQ(shape_in(*world, "ids"), shape_in(*world, "mask"));
  EXPECT_NE(shape_in(worlds.first, "ids")[0], shape_in(worlds.first, "ids")[1]);
}

TEST(Worlds, UnnamedDimensionsOfOneRoleAreEqualWhereTheGraphAsks) {
  Builder b("g");
  const ValueId left = b.input("left", DType::float32, {{-1, {}}, {3, {}}, {-1, {}}, {-1, {}}});
  const ValueId right = b.input("right", DType::float32, {{-1, {}}, {3, {}}, {-1, {}}, {-1, {}}});
  b.output(b.op("Sub", {left, right}), DType::float32, {});
  const Model model = std::move(b).finish();
  const Worlds worlds = choose_worlds(model, {});
  EXPECT_EQ(shape_in(worlds.first, "left"), shape_in(worlds.first, "right"));
  EXPECT_EQ(problems(model, worlds.first) + problems(model, worlds.second), 0u);
  EXPECT_NE(shape_in(worlds.first, "left")[0], shape_in(worlds.second, "left")[0]);
}

TEST(Worlds, SizesThatTheGraphContradictsAreDropped) {
  // Windows of 5 x 5 after a stride of 64: only 320 x 320 and 640 x 640 among the usual sizes divide.
  Builder b("g");
  const ValueId x = b.input("x", DType::float32, {{-1, {}}, {3, {}}, {-1, {}}, {-1, {}}});
  const ValueId pooled = b.op(
      "AveragePool", {x},
      {attr("kernel_shape", std::vector<std::int64_t>{64, 64}), attr("strides", std::vector<std::int64_t>{64, 64})});
  b.output(b.op("Reshape", {pooled, b.ints({0, 3, -1, 25})}), DType::float32, {});
  const Model model = std::move(b).finish();
  const Worlds worlds = choose_worlds(model, {});
  EXPECT_EQ(shape_in(worlds.first, "x"), (Shape{2, 3, 320, 320}));
  EXPECT_EQ(problems(model, worlds.second), 0u);
}

TEST(Worlds, ExtentsThatCannotVaryStay) {
  // The file says dynamic, the graph says 224: only the batch differs between the worlds.
  Builder b("g");
  const ValueId x = b.input("x", DType::float32, {{-1, {}}, {3, {}}, {-1, {}}, {-1, {}}});
  const std::vector<float> bias(224 * 224);
  const ValueId places = b.initializer("places", Tensor::of<float>(DType::float32, {224, 224}, bias));
  b.output(b.op("Add", {x, places}), DType::float32, {});
  const Model model = std::move(b).finish();
  const Worlds worlds = choose_worlds(model, {});
  EXPECT_EQ(shape_in(worlds.first, "x"), (Shape{2, 3, 224, 224}));
  EXPECT_EQ(shape_in(worlds.second, "x"), (Shape{3, 3, 224, 224}));
}

TEST(Worlds, CachesAndMasksAddUp) {
  Builder b("g");
  const ValueId past = b.input("past", DType::float32, {{-1, "batch"}, {4, {}}, {-1, "past_length"}, {8, {}}});
  const ValueId now = b.input("now", DType::float32, {{-1, "batch"}, {4, {}}, {-1, "length"}, {8, {}}});
  const ValueId mask = b.input("mask", DType::float32, {{-1, "batch"}, {1, {}}, {-1, "past_length + length"}, {1, {}}});
  const ValueId both = b.op("Concat", {past, now}, {attr("axis", 2)});
  b.output(b.op("Mul", {both, mask}), DType::float32, {});
  const Model model = std::move(b).finish();
  const Worlds worlds = choose_worlds(model, {});
  for (const World* world : {&worlds.first, &worlds.second}) {
    EXPECT_EQ(shape_in(*world, "mask")[2], shape_in(*world, "past")[2] + shape_in(*world, "now")[2]);
    EXPECT_EQ(problems(model, *world), 0u);
  }
}

TEST(Worlds, GivenShapesGuide) {
  Builder b("g");
  const ValueId x = b.input("x", DType::float32, {{-1, {}}, {3, {}}, {-1, {}}, {-1, {}}});
  b.output(b.op("Relu", {x}), DType::float32, {});
  const Model model = std::move(b).finish();
  const Worlds worlds = choose_worlds(model, {{"x", {1, 3, 480, 640}}});
  EXPECT_EQ(shape_in(worlds.counting, "x"), (Shape{1, 3, 480, 640}));
  EXPECT_EQ(shape_in(worlds.first, "x"), (Shape{2, 3, 480, 640}));
  EXPECT_NE(shape_in(worlds.second, "x")[2], 480);
  EXPECT_THROW(choose_worlds(model, {{"y", {1, 3, 480, 640}}}), Error);
  EXPECT_THROW(choose_worlds(model, {{"x", {1, 3, 480}}}), Error);
  EXPECT_THROW(choose_worlds(model, {{"x", {1, 4, 480, 640}}}), Error);
}

TEST(Dims, ExpressionsOverNames) {
  using worlds::evaluate;
  const std::vector<std::pair<std::string, std::int64_t>> known{{"past", 5}, {"now", 3}};
  EXPECT_EQ(evaluate("past + now", known), 8);
  EXPECT_EQ(evaluate("past+1", known), 6);
  EXPECT_EQ(evaluate("2*past - now * 3", known), 1);
  EXPECT_EQ(evaluate("now - past", known), std::nullopt);
  EXPECT_EQ(evaluate("past", known), std::nullopt);
  EXPECT_EQ(evaluate("past + other", known), std::nullopt);
  EXPECT_EQ(evaluate("past +", known), std::nullopt);
  EXPECT_EQ(evaluate("99999999999 + 1", known), std::nullopt);
}

TEST(Dims, RolesByNameAndPlace) {
  using worlds::Role;
  Graph graph;
  const auto input = [&](const char* name, DType dtype, std::vector<Dim> shape) {
    const ValueId id = graph.value(name);
    graph.values[static_cast<std::size_t>(id)].dtype = dtype;
    graph.values[static_cast<std::size_t>(id)].shape = std::move(shape);
    graph.inputs.push_back(id);
  };
  input("image", DType::float32, {{-1, {}}, {3, {}}, {-1, {}}, {-1, {}}});
  input("nhwc", DType::float32, {{1, {}}, {-1, {}}, {-1, {}}, {3, {}}});
  input("video", DType::float32, {{1, {}}, {3, {}}, {-1, {}}, {-1, {}}, {-1, {}}});
  input("ids", DType::int64, {{-1, "batch_size"}, {-1, "seq_len"}});
  input("past.0", DType::float32, {{-1, "batch_size"}, {8, {}}, {-1, {}}, {64, {}}});
  input("attention_mask", DType::int64, {{-1, "batch_size"}, {-1, {}}});
  std::vector<Role> roles;
  for (const worlds::DynamicDim& dim : worlds::collect_inputs(graph).dims) roles.push_back(dim.role);
  EXPECT_EQ(roles,
            (std::vector<Role>{Role::batch, Role::height, Role::width, Role::height, Role::width, Role::depth,
                               Role::height, Role::width, Role::batch, Role::sequence, Role::past, Role::total}));
}

TEST(Dims, ANamedFirstAxisBesideABatchIsASequence) {
  Graph graph;
  const ValueId id = graph.value("x");
  graph.values[0].shape = {{-1, "L"}, {-1, "N"}, {32, {}}};
  graph.inputs.push_back(id);
  const auto dims = worlds::collect_inputs(graph).dims;
  ASSERT_EQ(dims.size(), 2u);
  EXPECT_EQ(dims[0].role, worlds::Role::sequence);
  EXPECT_EQ(dims[1].role, worlds::Role::batch);
}

}  // namespace
}  // namespace coppice::graph
