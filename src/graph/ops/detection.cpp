#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

// Regions of interest: one image of (channels, height, width) for each row of the second operand.
void set_regions(InferContext& c, std::int64_t height, std::int64_t width) {
  if (height < 1 || width < 1) fail("pooled extents: expected at least 1");
  Shape out{unknown, unknown, height, width};
  if (c.in(0).ranked) out[1] = c.in(0).shape[1];
  if (c.in(1).ranked) out[0] = c.in(1).shape[0];
  c.out(0, Fact::of(c.in(0).dtype, std::move(out)));
}

void infer_max_roi_pool(InferContext& c) {
  expect_inputs(c, 2);
  expect_rank(c, 0, 4, 4);
  expect_rank(c, 1, 2, 2);
  const auto pooled = c.node().ints("pooled_shape");
  if (pooled.size() != 2) fail("pooled_shape: expected 2 numbers, found " + std::to_string(pooled.size()));
  set_regions(c, pooled[0], pooled[1]);
}

void infer_roi_align(InferContext& c) {
  expect_inputs(c, 3);
  expect_rank(c, 0, 4, 4);
  expect_rank(c, 1, 2, 2);
  expect_rank(c, 2, 1, 1);
  if (c.in(1).ranked && c.in(2).ranked) dim_same(c.in(1).shape[0], c.in(2).shape[0], "length of batch_indices");
  set_regions(c, c.node().int_or("output_height", 1), c.node().int_or("output_width", 1));
}

// How many boxes survive depends on their values.
void infer_non_max_suppression(InferContext& c) {
  expect_inputs(c, 2);
  expect_rank(c, 0, 3, 3);
  expect_rank(c, 1, 3, 3);
  if (c.in(0).ranked) dim_same(4, c.in(0).shape[2], "coordinates of a box");
  c.out(0, Fact::of(DType::int64, {unknown, 3}));
}

}  // namespace

void add_detection_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "MaxRoiPool", infer_max_roi_pool});
  defs.push_back({"", "NonMaxSuppression", infer_non_max_suppression, nullptr, 1u << 2});
  defs.push_back({"", "RoiAlign", infer_roi_align});
}

}  // namespace coppice::graph::ops
