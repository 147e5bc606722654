#include <gtest/gtest.h>

#include "coppice/base/error.hpp"

#include "one_node.hpp"

namespace coppice::graph {
namespace {

TEST(BatchNormalization, OutputsByOperatorSet) {
  const auto outputs = [](std::int64_t opset, std::size_t count) {
    OneNode n("BatchNormalization", opset);
    n.in({2, 3, 4, 4}, DType::float16).in({3}).in({3}).in({3}).in({3});
    return n.infer(count);
  };
  const auto old = outputs(9, 5);
  EXPECT_EQ(old[0].shape, (Shape{2, 3, 4, 4}));
  for (std::size_t i = 1; i < 5; ++i) EXPECT_EQ(old[i].shape, (Shape{3})) << i;
  const auto recent = outputs(15, 3);
  EXPECT_EQ(recent[0].dtype, DType::float16);
  EXPECT_EQ(recent[2].dtype, DType::float32);
  EXPECT_EQ(recent[2].shape, (Shape{3}));
}

TEST(BatchNormalization, ParametersFollowTheChannels) {
  OneNode wrong("BatchNormalization");
  EXPECT_THROW(wrong.in({2, 3, 4}).in({3}).in({3}).in({4}).in({3}).shape(), Error);
  OneNode unknown("BatchNormalization");  // one parameter contradicts another
  EXPECT_THROW(unknown.in({2, -1, 4}).in({3}).in({4}).in({3}).in({3}).shape(), Error);
  OneNode element("BatchNormalization", 7);
  element.in({2, 3, 4}).in({3, 4}).in({3, 4}).in({3, 4}).in({3, 4}).with("spatial", 0);
  EXPECT_EQ(element.shape(), (Shape{2, 3, 4}));
}

TEST(GroupNormalization, ScalesPerGroupThenPerChannel) {
  const auto shape = [](std::int64_t opset, std::int64_t length) {
    OneNode n("GroupNormalization", opset);
    return n.in({2, 6, 4}).in({length}).in({length}).with("num_groups", 3).shape();
  };
  EXPECT_EQ(shape(18, 3), (Shape{2, 6, 4}));
  EXPECT_EQ(shape(21, 6), (Shape{2, 6, 4}));
  EXPECT_THROW(shape(18, 6), Error);
  EXPECT_THROW(shape(21, 3), Error);
  OneNode odd("GroupNormalization", 21);
  EXPECT_THROW(odd.in({2, 6, 4}).in({6}).in({6}).with("num_groups", 4).shape(), Error);
}

TEST(LayerNormalization, StatisticsKeepTheRank) {
  OneNode n("LayerNormalization");
  const auto out = n.in({2, 3, 4, 5}, DType::float16).in({4, 5}).in({4, 5}).with("axis", -2).infer(3);
  EXPECT_EQ(out[0].shape, (Shape{2, 3, 4, 5}));
  EXPECT_EQ(out[1].shape, (Shape{2, 3, 1, 1}));
  EXPECT_EQ(out[2].dtype, DType::float32);
  EXPECT_THROW(OneNode("LayerNormalization").in({2, 3, 4}).in({5}).shape(), Error);
  EXPECT_THROW(OneNode("LayerNormalization").in({2, 1}).in({5}).shape(), Error);  // a scale must not widen the result
  EXPECT_THROW(OneNode("LayerNormalization").in({2, 3, 4}).in({4}).with("axis", 3).shape(), Error);
}

TEST(OtherNorms, KeepTheShape) {
  EXPECT_EQ(OneNode("RMSNormalization", 23).in({2, 3, 4}).in({4}).shape(), (Shape{2, 3, 4}));
  EXPECT_EQ(OneNode("InstanceNormalization").in({2, 3, 4}).in({3}).in({3}).shape(), (Shape{2, 3, 4}));
  EXPECT_THROW(OneNode("InstanceNormalization").in({2, 3, 4}).in({3}).in({2}).shape(), Error);
  for (const char* op : {"LRN", "LpNormalization", "MeanVarianceNormalization"})
    EXPECT_EQ(OneNode(op).in({2, -1, 4, 5}).shape(), (Shape{2, -1, 4, 5})) << op;
  OneNode skip("SkipLayerNormalization", 17, "com.microsoft");
  const auto out = skip.in({2, 3, 8}).in({2, 3, 8}).in({8}).infer(4);
  EXPECT_EQ(out[0].shape, (Shape{2, 3, 8}));
  EXPECT_EQ(out[1].shape, (Shape{2, 3, 1}));
  EXPECT_EQ(out[3].shape, (Shape{2, 3, 8}));
}

}  // namespace
}  // namespace coppice::graph
