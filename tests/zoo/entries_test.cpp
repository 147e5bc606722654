#include <set>
#include <string>

#include <gtest/gtest.h>

#include "coppice/graph/infer.hpp"
#include "coppice/zoo/zoo.hpp"

namespace coppice::zoo {
namespace {

using graph::Dim;
using graph::Model;
using tensor::Shape;

std::int64_t parameters_of(const Model& model) {
  std::int64_t out = 0;
  for (const auto& initializer : model.graph.initializers) {
    const std::string_view name = model.graph.name_of(initializer.value);
    if (!name.ends_with(".running_mean") && !name.ends_with(".running_var")) out += initializer.tensor.elements();
  }
  return out;
}

/// The declared extents, with a number for every dynamic one.
Shape in_numbers(const std::vector<Dim>& declared, std::int64_t batch, std::int64_t sequence) {
  Shape out;
  for (const Dim& dim : declared) out.push_back(dim.size >= 0 ? dim.size : dim.param == "batch" ? batch : sequence);
  return out;
}

void expect_declared_shapes(const Model& model, std::int64_t batch, std::int64_t sequence) {
  const auto value = [&](graph::ValueId id) { return model.graph.values[static_cast<std::size_t>(id)]; };
  const graph::Value input = value(model.graph.inputs[0]), output = value(model.graph.outputs[0]);
  const graph::World world{{{input.name, in_numbers(*input.shape, batch, sequence)}}};
  const graph::Facts facts = graph::infer(model, model.graph, world);
  const graph::Fact& fact = facts[static_cast<std::size_t>(model.graph.outputs[0])];
  EXPECT_EQ(fact.dtype, output.dtype);
  ASSERT_TRUE(fact.complete());
  EXPECT_EQ(fact.shape, in_numbers(*output.shape, batch, sequence));
  for (const graph::Node& node : model.graph.nodes)
    for (const graph::ValueId id : node.outputs)
      EXPECT_TRUE(facts[static_cast<std::size_t>(id)].complete()) << graph::describe(model.graph, node);
}

// One test an entry, since building is what costs time.
class EveryEntry : public testing::TestWithParam<Entry> {};

TEST_P(EveryEntry, IsSoundOfTheOriginalsSizeAndOfTheDeclaredShape) {
  const Model model = build(GetParam().name);
  EXPECT_NO_THROW(model.graph.check());
  EXPECT_EQ(model.graph.inputs.size(), 1u);
  EXPECT_EQ(model.graph.outputs.size(), 1u);
  EXPECT_EQ(model.opset(), 17);
  EXPECT_EQ(parameters_of(model), GetParam().parameters);
  std::set<std::string> names;
  for (const graph::Node& node : model.graph.nodes) EXPECT_TRUE(names.insert(node.name).second) << node.name;
  expect_declared_shapes(model, 1, 5);
  expect_declared_shapes(model, 3, 8);
}

INSTANTIATE_TEST_SUITE_P(Zoo, EveryEntry, testing::ValuesIn(entries().begin(), entries().end()),
                         [](const auto& entry) { return std::string(entry.param.name); });

}  // namespace
}  // namespace coppice::zoo
