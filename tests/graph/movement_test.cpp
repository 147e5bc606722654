// Operators that select, move, repeat and join elements: shapes and content.
#include <gtest/gtest.h>

#include "coppice/base/error.hpp"

#include "content_text.hpp"
#include "one_node.hpp"

namespace coppice::graph {
namespace {

using Ints = std::vector<std::int64_t>;

Tensor matrix(std::int64_t rows, std::int64_t columns, Ints values) {
  return tensor::from_ints(DType::int64, {rows, columns}, values);
}
std::string content(OneNode& node) {
  return content_text(node.infer()[0]);
}

TEST(Gather, ScalarVectorAndNegativeIndices) {
  OneNode scalar("Gather"), list("Gather"), columns("Gather"), shape("Gather");
  const Fact one = scalar.ints({5, 6, 7}).constant(Tensor::scalar(std::int64_t{-1})).infer()[0];
  EXPECT_EQ(content_text(one), "7");
  EXPECT_EQ(one.shape, Shape{});
  EXPECT_EQ(content(list.ints({5, 6, 7}).ints({2, 0})), "7,5");
  EXPECT_EQ(content(columns.constant(matrix(2, 3, {1, 2, 3, 4, 5, 6})).ints({2, 1}).with("axis", 1)), "3,2,6,5");
  EXPECT_EQ(shape.in({4, 5, 6}).in({2, 3}, DType::int64).with("axis", 1).shape(), (Shape{4, 2, 3, 6}));
}

TEST(Gather, IndexOutOfRange) {
  EXPECT_THROW(OneNode("Gather").ints({5, 6}).ints({2}).shape(), Error);
  EXPECT_THROW(OneNode("Gather").in({5, 6}).ints({-7}).with("axis", 1).shape(), Error);
  EXPECT_THROW(OneNode("Gather").in({5, 6}).ints({0}).with("axis", 2).shape(), Error);
}

TEST(GatherElements, PicksAlongTheAxis) {
  OneNode n("GatherElements");
  n.constant(matrix(2, 2, {1, 2, 3, 4})).constant(matrix(2, 2, {0, 0, 1, 0})).with("axis", 1);
  EXPECT_EQ(content(n), "1,1,4,3");
  EXPECT_THROW(OneNode("GatherElements").ints({1, 2}).constant(matrix(1, 1, {0})).shape(), Error);
}

TEST(GatherND, TuplesAndRows) {
  OneNode elements("GatherND"), rows("GatherND"), batched("GatherND");
  const Tensor data = matrix(2, 2, {0, 1, 2, 3});
  EXPECT_EQ(content(elements.constant(data).constant(matrix(2, 2, {0, 0, 1, 1}))), "0,3");
  EXPECT_EQ(content(rows.constant(data).constant(matrix(2, 1, {1, 0}))), "2,3,0,1");
  EXPECT_EQ(batched.in({2, 3, 4}).in({2, 5, 1}, DType::int64).with("batch_dims", 1).shape(), (Shape{2, 5, 4}));
}

TEST(Slice, OperandsOfNewOperatorSets) {
  OneNode plain("Slice"), steps("Slice"), back("Slice");
  EXPECT_EQ(content(plain.ints({0, 1, 2, 3, 4}).ints({1}).ints({-1})), "1,2,3");
  EXPECT_EQ(content(steps.ints({0, 1, 2, 3, 4}).ints({0}).ints({INT64_MAX}).ints({0}).ints({2})), "0,2,4");
  EXPECT_EQ(content(back.ints({0, 1, 2, 3, 4}).ints({-1}).ints({INT64_MIN}).ints({0}).ints({-2})), "4,2,0");
  OneNode two("Slice");
  two.in({10, 20}).ints({5, -3}).ints({100, 100}).ints({1, 0});
  EXPECT_EQ(two.shape(), (Shape{3, 15}));
}

TEST(Slice, AttributesOfOldOperatorSets) {
  OneNode n("Slice", 9);
  n.in({10, 20}).with("starts", Ints{1}).with("ends", Ints{4}).with("axes", Ints{1});
  EXPECT_EQ(n.shape(), (Shape{10, 3}));
}

TEST(Slice, EmptyAndBackwardBounds) {
  const auto extent = [](std::int64_t start, std::int64_t end, std::int64_t step) {
    OneNode n("Slice");
    n.in({5}).ints({start}).ints({end}).ints({0}).ints({step});
    return n.shape()[0];
  };
  EXPECT_EQ(extent(3, 2, 1), 0);
  EXPECT_EQ(extent(7, 9, 1), 0);
  EXPECT_EQ(extent(4, 0, -1), 4);
  EXPECT_EQ(extent(9, -9, -3), 2);
  EXPECT_EQ(extent(0, 3, -1), 0);
  EXPECT_EQ(extent(0, 5, INT64_MAX), 1);
  EXPECT_EQ(extent(4, INT64_MIN, INT64_MIN), 1);
  EXPECT_THROW(extent(0, 5, 0), Error);
}

TEST(Slice, UnknownBoundsLeaveOtherAxesAlone) {
  OneNode n("Slice");
  n.in({5, 6, 7}).in({1}, DType::int64).ints({3}).ints({1});
  EXPECT_EQ(n.shape(), (Shape{5, -1, 7}));
  OneNode whole("Slice");
  whole.in({-1, 6}).ints({0}).ints({INT64_MAX}).ints({0});
  EXPECT_EQ(whole.shape(), (Shape{-1, 6}));
  OneNode axes("Slice");
  axes.in({5, 6}).ints({0}).ints({3}).in({1}, DType::int64);
  EXPECT_EQ(axes.shape(), (Shape{-1, -1}));
}

TEST(Concat, ShapesAndContent) {
  OneNode vectors("Concat"), columns("Concat"), unknown("Concat");
  EXPECT_EQ(content(vectors.ints({1, 2}).ints({3}).with("axis", -1)), "1,2,3");
  EXPECT_EQ(content(columns.constant(matrix(2, 1, {1, 2})).constant(matrix(2, 2, {3, 4, 5, 6})).with("axis", 1)),
            "1,3,4,2,5,6");
  EXPECT_EQ(unknown.in({2, -1, 5}).in({-1, 3, 5}).with("axis", 1).shape(), (Shape{2, -1, 5}));
}

TEST(Concat, Contradictions) {
  EXPECT_THROW(OneNode("Concat").in({2, 3}).in({3, 3}).with("axis", 1).shape(), Error);
  EXPECT_THROW(OneNode("Concat").in({2, 3}).in({2}).with("axis", 1).shape(), Error);
  EXPECT_THROW(OneNode("Concat").in({}).with("axis", 0).shape(), Error);
}

TEST(Split, EveryForm) {
  const auto parts = [](OneNode& n, std::size_t outputs) {
    std::string out;
    for (const Fact& fact : n.infer(outputs)) out += tensor::to_string(fact.shape) + " ";
    return out;
  };
  OneNode equal("Split", 11), attribute("Split", 11), operand("Split"), uneven("Split", 18), open("Split");
  EXPECT_EQ(parts(equal.in({6, 2}), 3), "2x2 2x2 2x2 ");
  EXPECT_EQ(parts(attribute.in({6, 2}).with("split", Ints{1, 5}), 2), "1x2 5x2 ");
  EXPECT_EQ(parts(operand.in({2, 6}).ints({4, 2}).with("axis", -1), 2), "2x4 2x2 ");
  EXPECT_EQ(parts(uneven.in({7}).with("num_outputs", 3), 3), "3 3 1 ");
  EXPECT_EQ(parts(open.in({7, 2}).in({2}, DType::int64), 2), "-1x2 -1x2 ");
  OneNode content_of("Split");
  EXPECT_EQ(content_text(content_of.ints({1, 2, 3, 4}).infer(2)[1]), "3,4");
  EXPECT_THROW(parts(OneNode("Split", 11).in({7}), 2), Error);
  EXPECT_THROW(parts(OneNode("Split").in({7}).ints({3, 3}), 2), Error);
  EXPECT_THROW(parts(OneNode("Split").in({7}).ints({7}), 2), Error);
  EXPECT_THROW(parts(OneNode("Split").in({7}).ints({9, -2}), 2), Error);
}

TEST(Reshape, TargetsOfEveryKind) {
  const auto shape = [](Shape from, Ints target, int allowzero = 0) {
    OneNode n("Reshape");
    n.in(std::move(from)).ints(std::move(target)).with("allowzero", allowzero);
    return n.shape();
  };
  EXPECT_EQ(shape({2, 3, 4}, {0, -1}), (Shape{2, 12}));
  EXPECT_EQ(shape({2, 3, 4}, {4, 6}), (Shape{4, 6}));
  EXPECT_EQ(shape({2, 3, 4}, {-1}), Shape{24});
  EXPECT_EQ(shape({1}, {}), Shape{});
  EXPECT_EQ(shape({0, 4}, {4, 0}, 1), (Shape{4, 0}));
  EXPECT_EQ(shape({-1, 4}, {2, -1}), (Shape{2, -1}));
  EXPECT_THROW(shape({2, 3}, {4, -1}), Error);
  EXPECT_THROW(shape({2, 3}, {5}), Error);
  EXPECT_THROW(shape({2, 3}, {-1, -1}), Error);
  EXPECT_THROW(shape({2, 3}, {-2, 3}), Error);
  EXPECT_THROW(shape({6}, {2, 3, 0}), Error);
}

TEST(Reshape, UnknownTargetOfKnownLengthGivesTheRank) {
  OneNode n("Reshape"), absurd("Reshape");
  EXPECT_EQ(n.in({2, 3}).in({3}, DType::int64).shape(), (Shape{-1, -1, -1}));
  EXPECT_EQ(absurd.in({2, 3}).in({1'000'000'000'000}, DType::int64).shape(), Shape{-99});
}

TEST(Squeeze, EveryForm) {
  EXPECT_EQ(OneNode("Squeeze", 11).in({1, 3, 1}).with("axes", Ints{-1}).shape(), (Shape{1, 3}));
  EXPECT_EQ(OneNode("Squeeze").in({1, 3, 1}).ints({0}).shape(), (Shape{3, 1}));
  EXPECT_EQ(OneNode("Squeeze").in({1, 3, 1}).shape(), Shape{3});
  EXPECT_EQ(OneNode("Squeeze").in({1, -1}).shape(), Shape{-99});
  EXPECT_THROW(OneNode("Squeeze").in({1, 3}).ints({1}).shape(), Error);
}

TEST(Unsqueeze, EveryForm) {
  EXPECT_EQ(OneNode("Unsqueeze", 11).in({3, 4}).with("axes", Ints{0, 3}).shape(), (Shape{1, 3, 4, 1}));
  EXPECT_EQ(OneNode("Unsqueeze").in({3, 4}).ints({-1}).shape(), (Shape{3, 4, 1}));
  EXPECT_THROW(OneNode("Unsqueeze").in({3}).ints({0, 0}).shape(), Error);
  EXPECT_THROW(OneNode("Unsqueeze").in({3}).ints({3}).shape(), Error);
}

TEST(Flatten, Axes) {
  EXPECT_EQ(OneNode("Flatten").in({2, 3, 4}).shape(), (Shape{2, 12}));
  EXPECT_EQ(OneNode("Flatten").in({2, 3, 4}).with("axis", 0).shape(), (Shape{1, 24}));
  EXPECT_EQ(OneNode("Flatten").in({2, 3, 4}).with("axis", -1).shape(), (Shape{6, 4}));
  EXPECT_EQ(OneNode("Flatten").in({-1, 3, 4}).shape(), (Shape{-1, 12}));
}

TEST(Transpose, PermutesAndReverses) {
  OneNode n("Transpose");
  EXPECT_EQ(content(n.constant(matrix(2, 3, {1, 2, 3, 4, 5, 6}))), "1,4,2,5,3,6");
  EXPECT_EQ(OneNode("Transpose").in({2, 3, 4}).with("perm", Ints{1, 2, 0}).shape(), (Shape{3, 4, 2}));
  EXPECT_THROW(OneNode("Transpose").in({2, 3}).with("perm", Ints{0, 0}).shape(), Error);
  EXPECT_THROW(OneNode("Transpose").in({2, 3}).with("perm", Ints{0, 1, 2}).shape(), Error);
}

TEST(Expand, BothWays) {
  OneNode n("Expand");
  EXPECT_EQ(content(n.ints({1, 2}).ints({2, 1})), "1,2,1,2");
  EXPECT_EQ(OneNode("Expand").in({3, 1}).ints({2, 1, 4}).shape(), (Shape{2, 3, 4}));
  EXPECT_THROW(OneNode("Expand").in({3}).ints({2}).shape(), Error);
}

TEST(Tile, RepeatsAxes) {
  OneNode n("Tile");
  EXPECT_EQ(content(n.constant(matrix(1, 2, {1, 2})).ints({2, 2})), "1,2,1,2,1,2,1,2");
  EXPECT_EQ(OneNode("Tile").in({2, 3}).in({2}, DType::int64).shape(), (Shape{-1, -1}));
  EXPECT_THROW(OneNode("Tile").in({2, 3}).ints({2}).shape(), Error);
  EXPECT_THROW(OneNode("Tile").in({INT64_MAX / 2}).ints({3}).shape(), Error);
}

TEST(Pad, EveryForm) {
  EXPECT_EQ(OneNode("Pad", 10).in({2, 3}).with("pads", Ints{0, 1, 0, 2}).shape(), (Shape{2, 6}));
  EXPECT_EQ(OneNode("Pad").in({2, 3}).ints({0, 1, 0, 2}).shape(), (Shape{2, 6}));
  EXPECT_EQ(OneNode("Pad", 18).in({2, 3, 4}).ints({1, 1}).absent().ints({-1}).shape(), (Shape{2, 3, 6}));
  EXPECT_EQ(OneNode("Pad").in({2, 5}).ints({0, -1, 0, -2}).shape(), (Shape{2, 2}));
  EXPECT_EQ(OneNode("Pad").in({2, 5}).in({4}, DType::int64).shape(), (Shape{-1, -1}));
  OneNode n("Pad");
  EXPECT_EQ(content(n.ints({1, 2}).ints({1, 2}).constant(Tensor::scalar(std::int64_t{9}))), "9,1,2,9,9");
  EXPECT_THROW(OneNode("Pad").in({2, 3}).ints({0, 1}).shape(), Error);
  EXPECT_THROW(OneNode("Pad").in({2}).ints({-2, -2}).shape(), Error);
}

}  // namespace
}  // namespace coppice::graph
