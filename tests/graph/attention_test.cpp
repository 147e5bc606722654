#include <gtest/gtest.h>

#include "coppice/base/error.hpp"

#include "one_node.hpp"

namespace coppice::graph {
namespace {

TEST(Attention, FourAxes) {
  // 6 query heads share 3; 5 steps look at 4 old and 7 new ones.
  OneNode n("Attention", 23);
  n.in({2, 6, 5, 8}).in({2, 3, 7, 8}).in({2, 3, 7, 9}).absent().in({2, 3, 4, 8}).in({2, 3, 4, 9});
  const auto out = n.infer(4);
  EXPECT_EQ(out[0].shape, (Shape{2, 6, 5, 9}));
  EXPECT_EQ(out[1].shape, (Shape{2, 3, 11, 8}));
  EXPECT_EQ(out[2].shape, (Shape{2, 3, 11, 9}));
  EXPECT_EQ(out[3].shape, (Shape{2, 6, 5, 11}));
}

TEST(Attention, ThreeAxes) {
  OneNode n("Attention", 23);
  n.in({2, 5, 48}).in({2, 7, 24}).in({2, 7, 27}).with("q_num_heads", 6).with("kv_num_heads", 3);
  EXPECT_EQ(n.infer(4)[3].shape, (Shape{2, 6, 5, 7}));
  OneNode result("Attention", 23);
  result.in({2, 5, 48}).in({2, 7, 24}).in({2, 7, 27}).with("q_num_heads", 6).with("kv_num_heads", 3);
  EXPECT_EQ(result.shape(), (Shape{2, 5, 54}));
}

TEST(Attention, MacsOfScoresAndValues) {
  const double expected = 2 * 6 * 5 * 7 * 8 + 2 * 6 * 5 * 7 * 9;
  EXPECT_EQ(OneNode("Attention", 23).in({2, 6, 5, 8}).in({2, 3, 7, 8}).in({2, 3, 7, 9}).macs(), expected);
  OneNode flat("Attention", 23);
  flat.in({2, 5, 48}).in({2, 7, 24}).in({2, 7, 27}).with("q_num_heads", 6).with("kv_num_heads", 3);
  EXPECT_EQ(flat.macs(), expected);
}

TEST(Attention, ContradictionsAreRefused) {
  EXPECT_THROW(OneNode("Attention", 23).in({2, 6, 5, 8}).in({2, 3, 7, 9}).in({2, 3, 7, 9}).shape(), Error);
  EXPECT_THROW(OneNode("Attention", 23).in({2, 6, 5, 8}).in({2, 4, 7, 8}).in({2, 4, 7, 8}).shape(), Error);
  EXPECT_THROW(OneNode("Attention", 23).in({2, 6, 5, 8}).in({2, 3, 7, 8}).in({2, 3, 6, 8}).shape(), Error);
  OneNode odd("Attention", 23);
  odd.in({2, 5, 50}).in({2, 7, 24}).in({2, 7, 24}).with("q_num_heads", 6).with("kv_num_heads", 3);
  EXPECT_THROW(odd.shape(), Error);
}

TEST(FusedAttention, Shapes) {
  OneNode projected("Attention", 17, "com.microsoft");
  EXPECT_EQ(projected.in({2, 5, 8}).in({8, 24}).in({24}).with("num_heads", 2).shape(), (Shape{2, 5, 8}));
  OneNode heads("MultiHeadAttention", 17, "com.microsoft");
  EXPECT_EQ(heads.in({2, 5, 8}).in({2, 7, 8}).in({2, 7, 12}).with("num_heads", 2).shape(), (Shape{2, 5, 12}));
  OneNode counted("MultiHeadAttention", 17, "com.microsoft");
  EXPECT_EQ(counted.in({2, 5, 8}).in({2, 7, 8}).in({2, 7, 12}).macs(), 2 * 5 * 7 * (8 + 12));
  OneNode grouped("GroupQueryAttention", 17, "com.microsoft");
  const auto out =
      grouped.in({2, 5, 48}).in({2, 5, 16}).in({2, 5, 16}).with("num_heads", 6).with("kv_num_heads", 2).infer(3);
  EXPECT_EQ(out[0].shape, (Shape{2, 5, 48}));
  EXPECT_EQ(out[1].shape, (Shape{2, 2, -1, 8}));
  OneNode packed("GroupQueryAttention", 17, "com.microsoft");
  EXPECT_EQ(packed.in({2, 5, 80}).with("num_heads", 6).with("kv_num_heads", 2).shape(), (Shape{2, 5, 48}));
  EXPECT_EQ(OneNode("RotaryEmbedding", 23).in({2, 3, 5, 8}).in({9, 4}).in({9, 4}).shape(), (Shape{2, 3, 5, 8}));
}

TEST(FusedAttention, WhatIsLeftForLaterSteps) {
  // 5 steps in two heads, beside 4 old ones.
  OneNode projected("Attention", 17, "com.microsoft");
  projected.in({2, 5, 8}).in({8, 24}).in({24}).absent().in({2, 2, 2, 4, 4}).with("num_heads", 2);
  EXPECT_EQ(projected.infer(2)[1].shape, (Shape{2, 2, 2, 9, 4}));
  OneNode first("Attention", 17, "com.microsoft");
  EXPECT_EQ(first.in({2, 5, 8}).in({8, 24}).in({24}).with("num_heads", 2).infer(2)[1].shape, (Shape{2, 2, 2, 5, 4}));
  OneNode buffer("Attention", 17, "com.microsoft");
  buffer.in({2, 5, 8}).in({8, 24}).in({24}).absent().in({2, 2, 2, 9, 4}).with("num_heads", 2);
  EXPECT_EQ(buffer.with("past_present_share_buffer", 1).infer(2)[1].shape, (Shape{2, 2, 2, -1, 4}));
  OneNode heads("MultiHeadAttention", 17, "com.microsoft");
  heads.in({2, 5, 8}).in({2, 7, 8}).in({2, 7, 12}).absent().absent().absent().in({2, 2, 4, 4}).in({2, 2, 4, 6});
  const auto out = heads.with("num_heads", 2).infer(3);
  EXPECT_EQ(out[1].shape, (Shape{2, 2, 11, 4}));
  EXPECT_EQ(out[2].shape, (Shape{2, 2, 11, 6}));
  OneNode none("MultiHeadAttention", 17, "com.microsoft");
  EXPECT_EQ(none.in({2, 5, 8}).in({2, 7, 8}).in({2, 7, 12}).with("num_heads", 2).infer(3)[2].shape,
            (Shape{2, 2, 7, 6}));
}

}  // namespace
}  // namespace coppice::graph
