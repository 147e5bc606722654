#include <gtest/gtest.h>

#include "coppice/pruning/cut.hpp"

#include "pruning/prepared.hpp"

namespace coppice::pruning {
namespace {

using graph::attr;
using graph::DType;

TEST(Structure, ShapesThatLoseNothingStayThoughTheyAreComputedFromOnesThatShrink) {
  // z (1, 2, 8) is split into (1, 2, 2, 4), where 4 is half of y's channels.
  graph::Builder b("head_width");
  const auto x = b.input("x", DType::float32, {{1, ""}, {2, ""}, {3, ""}});
  const auto z = b.input("z", DType::float32, {{1, ""}, {2, ""}, {8, ""}});
  const auto y = b.op("MatMul", {x, b.initializer("a", filled({3, 8}))});
  const auto channels = b.op("Gather", {b.op("Shape", {y}), b.ints({2})});
  const auto target = b.op("Concat", {b.ints({1, 2, 2}), b.op("Div", {channels, b.ints({2})})}, {attr("axis", 0)});
  b.output(b.op("Reshape", {z, target}, {}, "split"), DType::float32, {{1, ""}, {2, ""}, {2, ""}, {4, ""}});
  const auto out = b.op("MatMul", {y, b.initializer("b", filled({8, 1}))}, {}, "out");
  b.output(out, DType::float32, {{1, ""}, {2, ""}, {1, ""}});
  const Prepared prepared = prepare(std::move(b).finish());

  std::vector<std::uint8_t> removed(prepared.couplings.units().size(), 0);
  const auto units = prepared.couplings.track(prepared.couplings.axes(prepared.model.graph.find("a"))[1].track);
  for (std::size_t i = 0; i < 4; ++i) removed[static_cast<std::size_t>(units[i])] = 1;
  const graph::Model small = cut(prepared, removed);
  const auto facts = graph::infer(small, small.graph, prepared.worlds.first);
  const auto shape = [&](std::string_view name) {
    return facts[static_cast<std::size_t>(small.graph.find(name))].shape;
  };
  EXPECT_EQ(shape("a"), (graph::Shape{3, 4}));
  EXPECT_EQ(shape("split"), (graph::Shape{1, 2, 2, 4}));
}

}  // namespace
}  // namespace coppice::pruning
