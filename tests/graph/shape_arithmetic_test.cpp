// Chains of operators on shapes, with extents that are not known.
#include <cmath>

#include <gtest/gtest.h>

#include "coppice/graph/builder.hpp"
#include "coppice/graph/infer.hpp"

#include "content_text.hpp"

namespace coppice::graph {
namespace {

/// x: float32 of the given extents (-1: unknown), then whatever the test adds.
class Chain : public ::testing::Test {
 protected:
  ValueId x(Shape shape, std::string_view name = "x") {
    world_.inputs.emplace_back(std::string(name), shape);
    return b_.input(name, DType::float32, std::vector<Dim>(shape.size()));
  }
  ValueId shape_of(ValueId value) { return b_.op("Shape", {value}); }
  ValueId element(ValueId vector, int i) { return b_.op("Gather", {vector, b_.int_scalar(i)}); }
  ValueId unsqueeze(ValueId scalar) { return b_.op("Unsqueeze", {scalar, b_.ints({0})}); }
  Fact fact(ValueId value) {
    const Model model = std::move(b_).finish();
    return infer(model, model.graph, world_)[static_cast<std::size_t>(value)];
  }
  std::string content(ValueId value) { return content_text(fact(value)); }

  Builder b_{"g", 17};
  World world_;
};

TEST_F(Chain, ShapeKnowsWhatItKnows) {
  EXPECT_EQ(content(shape_of(x({2, -1, 5}))), "2,?,5");
}

TEST_F(Chain, FlattenAsExportersWriteIt) {
  // Reshape(x, Concat(Shape(x)[0], -1))
  const ValueId in = x({-1, 64, 7, 7});
  const ValueId target = b_.op("Concat", {unsqueeze(element(shape_of(in), 0)), b_.ints({-1})}, {attr("axis", 0)});
  const ValueId out = b_.op("Reshape", {in, target});
  EXPECT_EQ(fact(out).shape, (Shape{-1, -1}));
}

TEST_F(Chain, CopiedUnknownExtentsCancel) {
  const ValueId in = x({-1, 64, 7, 7});
  EXPECT_EQ(fact(b_.op("Reshape", {in, b_.ints({0, -1})})).shape, (Shape{-1, 3136}));
}

TEST_F(Chain, OneUnknownElementIsWhatIsLeft) {
  // The target's first element is not known, but 2 * 12 elements leave 2 for it.
  const ValueId in = x({2, 12}), other = x({-1}, "other");
  const ValueId target = b_.op("Concat", {shape_of(other), b_.ints({3, 4})}, {attr("axis", 0)});
  EXPECT_EQ(fact(b_.op("Reshape", {in, target})).shape, (Shape{2, 3, 4}));
}

TEST_F(Chain, AnOperandWithoutContentIsUnknownElements) {
  // The elements of `data` are not known at all; its two places in the Concat stay open.
  const ValueId data = x({2}, "data");
  const ValueId whole = b_.op("Cast", {data}, {attr("to", 7)});
  EXPECT_EQ(content(b_.op("Concat", {b_.ints({8}), whole, b_.ints({9})}, {attr("axis", 0)})), "8,?,?,9");
}

TEST_F(Chain, AttentionScaleFromTheShape) {
  // 1 / sqrt(64): the scale that a change of the head size would change.
  const ValueId head = element(shape_of(x({2, 12, 64})), 2);
  const ValueId root = b_.op("Sqrt", {b_.op("Cast", {head}, {attr("to", 1)})});
  EXPECT_EQ(content(b_.op("Div", {b_.real_scalar(1), root})), "0.125000");
}

TEST_F(Chain, HalfTheChannels) {
  // ShuffleNet: bound = Shape(x)[1] / 2, then Slice.
  const ValueId in = x({1, 58, 4, 4});
  const ValueId half = unsqueeze(b_.op("Div", {element(shape_of(in), 1), b_.int_scalar(2)}));
  const ValueId out = b_.op("Slice", {in, b_.ints({0}), half, b_.ints({1})});
  EXPECT_EQ(fact(out).shape, (Shape{1, 29, 4, 4}));
}

TEST_F(Chain, PadsAsTorchComputesThem) {
  // Pairs from the last axis backwards, turned around by Reshape, Slice with step -1, Transpose.
  const ValueId pairs = b_.ints({1, 2, 3, 4});  // last axis 1, 2; the one before 3, 4
  const ValueId zeros =
      b_.op("ConstantOfShape", {b_.ints({4})}, {attr("value", Tensor::ints(std::vector<std::int64_t>{0}))});
  const ValueId all = b_.op("Concat", {pairs, zeros}, {attr("axis", 0)});
  const ValueId rows = b_.op("Reshape", {all, b_.ints({-1, 2})});
  const ValueId turned = b_.op("Slice", {rows, b_.ints({-1}), b_.ints({INT64_MIN + 1}), b_.ints({0}), b_.ints({-1})});
  const ValueId pads =
      b_.op("Reshape", {b_.op("Transpose", {turned}, {attr("perm", std::vector<std::int64_t>{1, 0})}), b_.ints({-1})});
  const ValueId out = b_.op("Pad", {x({5, 6, 7, 8}), pads});
  EXPECT_EQ(fact(out).shape, (Shape{5, 6, 14, 11}));
}

TEST_F(Chain, ExpandOfOnesByWhere) {
  // torch.expand with -1: Where(target == -1, 1, target) keeps the extent that is there.
  const ValueId target = b_.ints({-1, 4, -1});
  const ValueId ones =
      b_.op("ConstantOfShape", {b_.ints({3})}, {attr("value", Tensor::ints(std::vector<std::int64_t>{1}))});
  const ValueId minus = b_.op("Mul", {ones, b_.int_scalar(-1)});
  const ValueId chosen = b_.op("Where", {b_.op("Equal", {target, minus}), ones, target});
  EXPECT_EQ(fact(b_.op("Expand", {x({3, 1, 5}), chosen})).shape, (Shape{3, 4, 5}));
}

TEST_F(Chain, ResultsAreRoundedToTheirType) {
  // 1/3 in fp32, times 3 in fp32, is 1; kept in double precision it would not floor to 1 for 49 * (1/49).
  const ValueId n = b_.op("Cast", {element(shape_of(x({49})), 0)}, {attr("to", 1)});
  const ValueId inverse = b_.op("Reciprocal", {n});
  EXPECT_EQ(content(b_.op("Floor", {b_.op("Mul", {n, inverse})})), std::to_string(std::floor(49.0F * (1.0F / 49.0F))));
}

}  // namespace
}  // namespace coppice::graph
