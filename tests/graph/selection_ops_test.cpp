// Reductions, scatters and operators whose output size depends on elements.
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

TEST(Reduce, AxesAsAttributeAndAsOperand) {
  EXPECT_EQ(OneNode("ReduceMean", 17).in({2, 3, 4}).with("axes", Ints{-1}).shape(), (Shape{2, 3, 1}));
  EXPECT_EQ(OneNode("ReduceMean", 18).in({2, 3, 4}).ints({0, 2}).with("keepdims", 0).shape(), Shape{3});
  EXPECT_EQ(OneNode("ReduceL2", 17).in({2, 3}).with("keepdims", 0).shape(), Shape{});
  EXPECT_EQ(OneNode("ReduceSum", 13).in({2, 3}).shape(), (Shape{1, 1}));
  EXPECT_EQ(OneNode("ReduceSum", 13).in({2, 3}).with("noop_with_empty_axes", 1).shape(), (Shape{2, 3}));
  EXPECT_EQ(OneNode("ReduceSum", 13).in({2, 3}).in({1}, DType::int64).shape(), (Shape{-1, -1}));
  EXPECT_EQ(OneNode("ReduceSum", 13).in({2, 3}).in({1}, DType::int64).with("keepdims", 0).shape(), Shape{-99});
  EXPECT_THROW(OneNode("ReduceMax", 17).in({2, 3}).with("axes", Ints{2}).shape(), Error);
}

TEST(Reduce, Content) {
  const auto columns = [](const char* op) {
    OneNode n(op, 18);
    n.constant(matrix(2, 3, {1, 5, 3, 4, 2, 6})).ints({0}).with("keepdims", 0);
    return content(n);
  };
  EXPECT_EQ(columns("ReduceSum"), "5,7,9");
  EXPECT_EQ(columns("ReduceProd"), "4,10,18");
  EXPECT_EQ(columns("ReduceMax"), "4,5,6");
  EXPECT_EQ(columns("ReduceMin"), "1,2,3");
  EXPECT_EQ(columns("ReduceMean"), "2,3,4");
  OneNode real("ReduceMean", 18);
  EXPECT_EQ(content(real.reals({1, 2})), "1.500000");
}

TEST(Arg, IndexOfTheLargestAndSmallest) {
  const auto index = [](const char* op, int last) {
    OneNode n(op);
    n.constant(matrix(2, 3, {1, 5, 5, 4, 2, 2})).with("axis", 1).with("keepdims", 0).with("select_last_index", last);
    return content(n);
  };
  EXPECT_EQ(index("ArgMax", 0), "1,0");
  EXPECT_EQ(index("ArgMax", 1), "2,0");
  EXPECT_EQ(index("ArgMin", 0), "0,1");
  EXPECT_EQ(index("ArgMin", 1), "0,2");
  const Fact fact = OneNode("ArgMax").in({2, 3, 4}).with("axis", -1).infer()[0];
  EXPECT_EQ(fact.shape, (Shape{2, 3, 1}));
  EXPECT_EQ(fact.dtype, DType::int64);
}

TEST(Scatter, ReplacesElements) {
  OneNode nd("ScatterND"), rows("ScatterND"), elements("ScatterElements"), adding("ScatterND");
  EXPECT_EQ(content(nd.ints({1, 2, 3, 4}).constant(matrix(2, 1, {3, 0})).ints({9, 8})), "8,2,3,9");
  EXPECT_EQ(
      content(rows.constant(matrix(2, 2, {1, 2, 3, 4})).constant(matrix(1, 1, {-1})).constant(matrix(1, 2, {7, 8}))),
      "1,2,7,8");
  elements.constant(matrix(1, 3, {1, 2, 3}))
      .constant(matrix(1, 2, {2, 0}))
      .constant(matrix(1, 2, {9, 8}))
      .with("axis", 1);
  EXPECT_EQ(content(elements), "8,2,9");
  EXPECT_EQ(content(adding.ints({1}).constant(matrix(1, 1, {0})).ints({9}).with("reduction", "add")), "none");
}

TEST(Scatter, Contradictions) {
  EXPECT_THROW(OneNode("ScatterND").ints({1, 2}).constant(matrix(1, 1, {2})).ints({9}).shape(), Error);
  EXPECT_THROW(OneNode("ScatterND").in({4, 5}).constant(matrix(2, 1, {0, 1})).in({2, 6}).shape(), Error);
  EXPECT_THROW(OneNode("ScatterElements").in({4}).ints({0, 1}).ints({9}).shape(), Error);
}

TEST(TopK, KAsAttributeAndAsOperand) {
  const auto facts = OneNode("TopK").in({2, 10}).ints({3}).infer(2);
  EXPECT_EQ(facts[0].shape, (Shape{2, 3}));
  EXPECT_EQ(facts[0].dtype, DType::float32);
  EXPECT_EQ(facts[1].dtype, DType::int64);
  EXPECT_EQ(OneNode("TopK", 9).in({2, 10}).with("k", 4).with("axis", 1).shape(), (Shape{2, 4}));
  EXPECT_EQ(OneNode("TopK").in({2, 10}).in({1}, DType::int64).with("axis", 0).shape(), (Shape{-1, 10}));
  EXPECT_THROW(OneNode("TopK").in({2, 10}).ints({11}).shape(), Error);
}

TEST(NonZero, KnownAndUnknown) {
  OneNode known("NonZero");
  const Fact fact = known.constant(matrix(2, 2, {0, 1, 1, 0})).infer()[0];
  EXPECT_EQ(fact.shape, (Shape{2, 2}));
  EXPECT_EQ(content_text(fact), "0,1,1,0");
  EXPECT_EQ(OneNode("NonZero").in({2, 3, 4}).shape(), (Shape{3, -1}));
}

TEST(OneHot, AxisAndContent) {
  OneNode n("OneHot");
  n.ints({1, -1}).constant(Tensor::scalar(std::int64_t{3})).ints({5, 7});
  EXPECT_EQ(content(n), "5,7,5,5,5,7");
  EXPECT_EQ(OneNode("OneHot").in({4, 5}, DType::int64).ints({9}).reals({0, 1}).with("axis", 1).shape(),
            (Shape{4, 9, 5}));
}

TEST(Unique, SizesDependOnData) {
  const auto flat = OneNode("Unique").in({2, 3}).infer(4);
  EXPECT_EQ(flat[0].shape, Shape{-1});
  EXPECT_EQ(flat[2].shape, Shape{6});
  const auto rows = OneNode("Unique").in({2, 3}).with("axis", 0).infer(4);
  EXPECT_EQ(rows[0].shape, (Shape{-1, 3}));
  EXPECT_EQ(rows[2].shape, Shape{2});
}

TEST(Elementwise, ShapesAndTypes) {
  for (const char* op : {"Sigmoid", "Erf", "HardSwish", "Softmax", "LeakyRelu", "Dropout", "Gelu"})
    EXPECT_EQ(OneNode(op).in({2, -1, 4}).shape(), (Shape{2, -1, 4})) << op;
  EXPECT_EQ(OneNode("IsNaN").in({2}).infer()[0].dtype, DType::boolean);
  EXPECT_EQ(OneNode("Dropout", 10).in({2}).infer(2)[1].dtype, DType::boolean);
  EXPECT_EQ(OneNode("Dropout", 7).in({2}).infer(2)[1].dtype, DType::float32);
  EXPECT_EQ(OneNode("PRelu").in({2, 3, 4}).in({3, 1}).shape(), (Shape{2, 3, 4}));
  EXPECT_THROW(OneNode("PRelu").in({2, 3, 4}).in({5, 1}).shape(), Error);
  EXPECT_THROW(OneNode("PRelu").in({3, 4}).in({2, 3, 4}).shape(), Error);
  EXPECT_THROW(OneNode("Softmax").in({2, 3}).with("axis", 2).shape(), Error);
}

TEST(Broadcasting, ShapesAndContradictions) {
  EXPECT_EQ(OneNode("Add").in({2, 1, 4}).in({3, 1}).shape(), (Shape{2, 3, 4}));
  EXPECT_EQ(OneNode("Add").in({-1, 4}).in({3, 1}).shape(), (Shape{3, 4}));
  EXPECT_EQ(OneNode("Add").in({-1, 4}).in({1, -1}).shape(), (Shape{-1, 4}));
  EXPECT_EQ(OneNode("Where").in({2, 1}, DType::boolean).in({3}).in({}).shape(), (Shape{2, 3}));
  try {
    OneNode("Add").in({2, 3}).in({4}).shape();
    FAIL() << "3 does not broadcast with 4";
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()), "Add \"y0\": expected shapes that broadcast, found 2x3 and 4");
  }
}

}  // namespace
}  // namespace coppice::graph
