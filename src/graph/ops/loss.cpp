#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

// Scores (N, C, d...) and targets (N, d...) give one loss a target, or their mean or sum.
void infer_loss(InferContext& c) {
  expect_inputs(c, 2);
  expect_rank(c, 0, 2, 32);
  const Fact &scores = c.in(0), &target = c.in(1);
  Shape losses;
  if (scores.ranked) {
    losses = scores.shape;
    losses.erase(losses.begin() + 1);
    expect_rank(c, 1, losses.size(), losses.size());
    expect_rank(c, 2, 1, 1);
    if (target.ranked)
      for (std::size_t i = 0; i < losses.size(); ++i)
        losses[i] = dim_same(losses[i], target.shape[i], "extent " + std::to_string(i) + " of the target");
    if (c.in(2).ranked) dim_same(scores.shape[1], c.in(2).shape[0], "length of the class weights");
  }
  const std::string reduction = c.node().string_or("reduction", "mean");
  if (reduction == "none") {
    if (scores.ranked)
      c.out(0, Fact::of(scores.dtype, std::move(losses)));
    else
      out_type(c, 0, scores.dtype);
  } else if (reduction == "mean" || reduction == "sum") {
    c.out(0, Fact::of(scores.dtype, {}));
  } else {
    fail("reduction: expected none, mean or sum, found " + reduction);
  }
  c.out(1, {scores.dtype, scores.ranked, scores.shape, nullptr});
}

}  // namespace

void add_loss_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "NegativeLogLikelihoodLoss", infer_loss});
  defs.push_back({"", "SoftmaxCrossEntropyLoss", infer_loss});
}

}  // namespace coppice::graph::ops
