#include <gtest/gtest.h>

#include "coppice/base/error.hpp"

#include "one_node.hpp"

namespace coppice::graph {
namespace {

// 7 steps, batch 2, input 5, hidden 3.
OneNode lstm(Shape x, std::int64_t directions) {
  OneNode n("LSTM", 14);
  n.in(std::move(x)).in({directions, 12, 5}).in({directions, 12, 3}).in({directions, 24}).with("hidden_size", 3);
  return n;
}

TEST(Recurrent, TimeFirst) {
  const auto out = lstm({7, 2, 5}, 1).infer(3);
  EXPECT_EQ(out[0].shape, (Shape{7, 1, 2, 3}));
  EXPECT_EQ(out[1].shape, (Shape{1, 2, 3}));
  EXPECT_EQ(out[2].shape, (Shape{1, 2, 3}));
}

TEST(Recurrent, BatchFirstAndBothDirections) {
  const auto out = lstm({2, 7, 5}, 2).with("layout", 1).with("direction", "bidirectional").infer(3);
  EXPECT_EQ(out[0].shape, (Shape{2, 7, 2, 3}));
  EXPECT_EQ(out[1].shape, (Shape{2, 2, 3}));
}

TEST(Recurrent, HiddenSizeComesFromTheWeights) {
  OneNode gru("GRU", 7);
  EXPECT_EQ(gru.in({7, -1, 5}).in({1, 9, 5}).in({1, 9, 3}).shape(), (Shape{7, 1, -1, 3}));
  OneNode rnn("RNN", 7);
  EXPECT_EQ(rnn.in({7, 2, 5}).in({1, 3, 5}).in({1, 3, 3}).shape(), (Shape{7, 1, 2, 3}));
}

TEST(Recurrent, Macs) {
  EXPECT_EQ(lstm({7, 2, 5}, 1).macs(), 7 * 2 * 4 * (3 * 5 + 3 * 3));
  EXPECT_EQ(lstm({7, 2, 5}, 2).with("direction", "bidirectional").macs(), 2 * 7 * 2 * 4 * (3 * 5 + 3 * 3));
  EXPECT_EQ(OneNode("GRU", 14).in({7, 2, 5}).in({1, 9, 5}).in({1, 9, 3}).macs(), 7 * 2 * 3 * (3 * 5 + 3 * 3));
}

TEST(Recurrent, ContradictionsAreRefused) {
  EXPECT_THROW(lstm({7, 2, 6}, 1).infer(), Error);                         // input size
  EXPECT_THROW(lstm({7, 2, 5}, 2).infer(), Error);                         // directions
  EXPECT_THROW(lstm({7, 2, 5}, 1).with("hidden_size", 4).infer(), Error);  // hidden size
  EXPECT_THROW(lstm({7, 2, 5}, 1).with("direction", "backward").infer(), Error);
  EXPECT_THROW(lstm({7, 2}, 1).infer(), Error);                            // rank
  EXPECT_THROW(lstm({7, 2, 5}, 1).absent().in({1, 2, 4}).infer(), Error);  // initial state
  OneNode gru("GRU", 14);
  EXPECT_THROW(gru.in({7, 2, 5}).in({1, 12, 5}).in({1, 12, 3}).infer(), Error);  // rows of four gates
}

}  // namespace
}  // namespace coppice::graph
