#include <gtest/gtest.h>

#include "coppice/base/error.hpp"

#include "one_node.hpp"

namespace coppice::graph {
namespace {

TEST(Signal, Dft) {
  EXPECT_EQ(OneNode("DFT", 17).in({2, 10, 1}).with("onesided", 1).shape(), (Shape{2, 6, 2}));
  EXPECT_EQ(OneNode("DFT", 17).in({2, 10, 1}).ints({16}).shape(), (Shape{2, 16, 2}));
  EXPECT_EQ(OneNode("DFT", 20).in({2, 10, 7, 2}).shape(), (Shape{2, 10, 7, 2}));
  EXPECT_EQ(OneNode("DFT", 20).in({2, 10, 7, 1}).absent().constant(Tensor::scalar(std::int64_t{1})).shape(),
            (Shape{2, 10, 7, 2}));
  EXPECT_THROW(OneNode("DFT", 17).in({2, 10, 1}).with("axis", 2).shape(), Error);
}

TEST(Signal, Stft) {
  // (128 - 16) / 8 + 1 = 15 frames of 16 / 2 + 1 = 9 bins
  OneNode n("STFT", 17);
  EXPECT_EQ(n.in({1, 128, 1}).constant(Tensor::scalar(std::int64_t{8})).in({16}).shape(), (Shape{1, 15, 9, 2}));
  OneNode both("STFT", 17);
  both.in({1, 128, 1}).constant(Tensor::scalar(std::int64_t{8})).absent().constant(Tensor::scalar(std::int64_t{16}));
  EXPECT_EQ(both.with("onesided", 0).shape(), (Shape{1, 15, 16, 2}));
}

TEST(Signal, WindowsAndMelWeights) {
  for (const char* op : {"HannWindow", "HammingWindow", "BlackmanWindow"})
    EXPECT_EQ(OneNode(op, 17).constant(Tensor::scalar(std::int64_t{10})).shape(), (Shape{10})) << op;
  OneNode mel("MelWeightMatrix", 17);
  mel.constant(Tensor::scalar(std::int64_t{8})).constant(Tensor::scalar(std::int64_t{16}));
  EXPECT_EQ(mel.in({}, DType::int64).in({}).in({}).shape(), (Shape{9, 8}));
}

TEST(Loss, ReductionDecides) {
  for (const char* op : {"NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"}) {
    EXPECT_EQ(OneNode(op, 13).in({3, 5, 6}).in({3, 6}, DType::int64).shape(), (Shape{})) << op;
    EXPECT_EQ(OneNode(op, 13).in({3, 5, 6}).in({3, 6}, DType::int64).with("reduction", "none").shape(), (Shape{3, 6}));
    EXPECT_THROW(OneNode(op, 13).in({3, 5, 6}).in({3, 7}, DType::int64).shape(), Error) << op;
  }
  EXPECT_EQ(OneNode("SoftmaxCrossEntropyLoss", 13).in({3, 5}).in({3}, DType::int64).infer(2)[1].shape, (Shape{3, 5}));
}

TEST(Text, Shapes) {
  EXPECT_EQ(OneNode("StringConcat", 20).in({2, 1}, DType::string).in({3}, DType::string).shape(), (Shape{2, 3}));
  EXPECT_EQ(OneNode("StringSplit", 20).in({2, 3}, DType::string).infer(2)[0].shape, (Shape{2, 3, -1}));
  EXPECT_EQ(OneNode("RegexFullMatch", 20).in({2, 3}, DType::string).infer()[0].dtype, DType::boolean);
  OneNode counts("TfIdfVectorizer");
  counts.in({2, 9}, DType::int64).with("ngram_indexes", std::vector<std::int64_t>{0, 4, 2});
  EXPECT_EQ(counts.shape(), (Shape{2, 5}));
}

TEST(Selection, WhatDependsOnDataStaysOpen) {
  EXPECT_EQ(OneNode("Compress").in({2, 3}).in({3}, DType::boolean).with("axis", 1).shape(), (Shape{2, -1}));
  const std::vector<std::uint8_t> flags{1, 0, 1};
  const Tensor condition = Tensor::of<std::uint8_t>(DType::boolean, {3}, std::span<const std::uint8_t>(flags));
  EXPECT_EQ(OneNode("Compress").in({2, 3}).constant(condition).with("axis", 1).shape(), (Shape{2, 2}));
  const auto unique = OneNode("Unique", 11).in({2, 3}).infer(4);
  EXPECT_EQ(unique[0].shape, (Shape{-1}));
  EXPECT_EQ(unique[2].shape, (Shape{6}));
  EXPECT_EQ(OneNode("Det").in({5, 3, 3}).shape(), (Shape{5}));
  EXPECT_THROW(OneNode("Det").in({5, 3, 4}).shape(), Error);
}

}  // namespace
}  // namespace coppice::graph
