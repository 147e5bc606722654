// A cut that the shape arithmetic cannot follow is refused, with the node and the units that would have to stay.
#include <gtest/gtest.h>

#include "pruning/small.hpp"

namespace coppice::pruning {
namespace {

using graph::attr;
using graph::Builder;
using graph::DType;
using graph::Shape;
using graph::ValueId;

std::int32_t index_of(const Prepared& prepared, std::string_view name) {
  for (std::size_t i = 0; i < prepared.model.graph.nodes.size(); ++i)
    if (prepared.model.graph.nodes[i].name == name) return static_cast<std::int32_t>(i);
  return -1;
}

// Refused at that node because of exactly these units; without them the cut works.
void expect_refused(Prepared prepared, std::vector<std::uint8_t> removed, std::string_view node,
                    std::string_view said) {
  std::vector<std::int32_t> gone;
  for (std::size_t u = 0; u < removed.size(); ++u)
    if (removed[u]) gone.push_back(static_cast<std::int32_t>(u));
  try {
    cut(prepared, removed);
    FAIL() << "not refused";
  } catch (const StructureError& error) {
    EXPECT_EQ(error.node, index_of(prepared, node));
    EXPECT_EQ(error.units, gone);
    EXPECT_NE(std::string(error.what()).find(said), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find(node), std::string::npos) << error.what();
    prepared.couplings.lock(error.units, coupling::Reason::structure, error.node);
    for (const std::int32_t u : error.units) {
      EXPECT_TRUE(prepared.couplings.units()[static_cast<std::size_t>(u)].locked);
      removed[static_cast<std::size_t>(u)] = 0;
    }
  }
  EXPECT_NO_THROW(cut(prepared, removed));
}

ValueId extent(Builder& b, ValueId y, std::int64_t axis) {
  return b.op("Gather", {b.op("Shape", {y}), b.ints({axis})});
}

// (batch, 2, 8) to (8 * batch, 2) by a target that is no product of anything.
Prepared dynamic_maximum(std::int64_t opset) {
  Builder b("maximum", opset);
  const auto y = linear(b, b.input("x", DType::float32, dims({-1, 2, 3})), "a", 3, 8);
  const auto turned = b.op("Transpose", {y}, {ints("perm", {0, 2, 1})});
  const auto batch = extent(b, y, 0);
  const auto rows = b.op("Max", {b.op("Mul", {batch, b.ints({8})}), batch});
  const auto target = b.op("Concat", {rows, b.ints({2})}, {attr("axis", 0)});
  const auto flat = b.op("Reshape", {turned, target}, {}, "flat");
  const auto back = b.op("Reshape", {flat, b.ints({-1, 16})}, {}, "back");
  return finish(std::move(b), linear(b, back, "c", 16, 5), {-1, 5});
}

TEST(CutRefusal, ADynamicNumberThatCannotBeTurnedBack) {
  const Prepared prepared = dynamic_maximum(17);
  expect_refused(prepared, without(prepared, "a", 1, {2, 5}), "flat", "can't be rewritten");
}

TEST(CutRefusal, APatchNeedsWhere) {
  // Operator set 8 has no Where to put one number of two right.
  Builder b("patch", 8);
  const auto y = linear(b, b.input("x", DType::float32, dims({-1, 2, 3})), "a", 3, 8);
  const auto longer = b.op("Concat", {extent(b, y, 0), b.ints({16, 99})}, {attr("axis", 0)});
  const auto target = b.op("Slice", {longer}, {ints("starts", {0}), ints("ends", {2})});
  const Prepared prepared =
      finish(std::move(b), linear(b, b.op("Reshape", {y, target}, {}, "flat"), "c", 16, 5), {-1, 5});
  expect_refused(prepared, without(prepared, "a", 1, {2, 5}), "flat", "can't be rewritten");
}

TEST(CutRefusal, AGroupedConvolutionThatWouldLoseAllChannels) {
  Builder b("empty");
  const auto y = conv(b, b.input("x", DType::float32, dims({1, 3, 4, 4})), "a", 4, 3);
  const auto d = b.op("Conv", {y, b.initializer("w", filled({4, 1, 3, 3}))}, {attr("group", 4)}, "depthwise");
  const Prepared prepared = finish(std::move(b), conv(b, d, "c", 2, 4), {1, 2, 2, 2});
  expect_refused(prepared, without(prepared, "a", 0, {0, 1, 2, 3}), "depthwise", "no channel would be left");
}

}  // namespace
}  // namespace coppice::pruning
