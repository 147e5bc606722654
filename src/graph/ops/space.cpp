#include <algorithm>

#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

std::int64_t block_size(const Node& node) {
  const std::int64_t size = node.int_or("blocksize", 1);
  if (size < 1) fail("blocksize: expected at least 1, found " + std::to_string(size));
  return size;
}

std::int64_t divided(std::int64_t extent, std::int64_t by, std::string_view what) {
  if (extent < 0) return unknown;
  if (by <= 0 || extent % by != 0)
    fail(std::string(what) + ": expected a multiple of " + std::to_string(by) + ", found " + std::to_string(extent));
  return extent / by;
}

void infer_depth_to_space(InferContext& c) {
  expect_inputs(c, 1);
  expect_rank(c, 0, 4, 4);
  const std::int64_t block = block_size(c.node());
  const Fact& x = c.in(0);
  if (!x.ranked) return out_type(c, 0, x.dtype);
  c.out(0, Fact::of(x.dtype, {x.shape[0], divided(x.shape[1], dim_mul(block, block), "channels"),
                              dim_mul(x.shape[2], block), dim_mul(x.shape[3], block)}));
}

void infer_space_to_depth(InferContext& c) {
  expect_inputs(c, 1);
  expect_rank(c, 0, 4, 4);
  const std::int64_t block = block_size(c.node());
  const Fact& x = c.in(0);
  if (!x.ranked) return out_type(c, 0, x.dtype);
  c.out(0, Fact::of(x.dtype, {x.shape[0], dim_mul(x.shape[1], dim_mul(block, block)),
                              divided(x.shape[2], block, "height"), divided(x.shape[3], block, "width")}));
}

void infer_grid_sample(InferContext& c) {
  expect_inputs(c, 2);
  expect_rank(c, 0, 3, 32);
  const Fact &x = c.in(0), &grid = c.in(1);
  if (x.ranked) expect_rank(c, 1, x.rank(), x.rank());
  if (!x.ranked && !grid.ranked) return out_type(c, 0, x.dtype);
  const std::size_t rank = x.ranked ? x.rank() : grid.rank();
  if (rank < 3) fail("expected a grid of rank at least 3, found " + show(grid.shape));
  Shape out(rank, unknown);
  if (x.ranked) std::copy_n(x.shape.begin(), 2, out.begin());
  if (grid.ranked) {
    out[0] = dim_same(out[0], grid.shape[0], "batch of the grid");
    dim_same(static_cast<std::int64_t>(rank) - 2, grid.shape.back(), "coordinates of the grid");
    std::copy(grid.shape.begin() + 1, grid.shape.end() - 1, out.begin() + 2);
  }
  c.out(0, Fact::of(x.dtype, std::move(out)));
}

// theta (N, 2, 3) and size (N, C, H, W) give (N, H, W, 2); volumes alike.
void infer_affine_grid(InferContext& c) {
  expect_inputs(c, 2);
  expect_rank(c, 0, 3, 3);
  const Fact &theta = c.in(0), &size = c.in(1);
  std::size_t rank = 0;
  if (size.ranked && size.rank() == 1 && size.shape[0] >= 0) {
    if (size.shape[0] != 4 && size.shape[0] != 5)
      fail("size: expected 4 or 5 numbers, found " + std::to_string(size.shape[0]));
    rank = static_cast<std::size_t>(size.shape[0]);
  } else if (theta.ranked && theta.shape[1] > 0) {
    rank = theta.shape[1] == 2 ? 4 : 5;
  } else {
    return out_type(c, 0, theta.dtype);
  }
  Shape out(rank, unknown);
  out.back() = static_cast<std::int64_t>(rank) - 2;
  if (theta.ranked) {
    out[0] = theta.shape[0];
    dim_same(out.back(), theta.shape[1], "rows of theta");
    dim_same(out.back() + 1, theta.shape[2], "columns of theta");
  }
  if (auto values = size.int_values(); values && values->size() == rank) {
    out[0] = dim_same(out[0], std::max(unknown, (*values)[0]), "batch of size");
    for (std::size_t i = 2; i < rank; ++i) out[i - 1] = std::max(unknown, (*values)[i]);
  }
  c.out(0, Fact::of(theta.dtype, std::move(out)));
}

void infer_center_crop_pad(InferContext& c) {
  expect_inputs(c, 2);
  const Fact& x = c.in(0);
  if (!x.ranked) return out_type(c, 0, x.dtype);
  Shape shape = x.shape;
  const auto given = c.node().ints("axes");
  std::vector<std::size_t> axes = axes_of(given, shape.size());
  if (given.empty())
    for (std::size_t i = 0; i < shape.size(); ++i) axes.push_back(i);
  const auto target = c.in(1).int_values();
  if (target && target->size() != axes.size())
    fail("shape: expected " + std::to_string(axes.size()) + " numbers, found " + std::to_string(target->size()));
  for (std::size_t i = 0; i < axes.size(); ++i) shape[axes[i]] = target ? std::max(unknown, (*target)[i]) : unknown;
  c.out(0, Fact::of(x.dtype, std::move(shape)));
}

// (N, C * block, L) and the image's extents give (N, C, image...).
void infer_col2im(InferContext& c) {
  expect_inputs(c, 3);
  expect_rank(c, 0, 3, 3);
  const Fact& x = c.in(0);
  const auto image = c.in(1).int_values(), block = c.in(2).int_values();
  if (image && block && image->size() != block->size())
    fail("block_shape: expected " + std::to_string(image->size()) + " numbers, found " + std::to_string(block->size()));
  Shape out{unknown, unknown};
  if (x.ranked) {
    out[0] = x.shape[0];
    if (block) out[1] = divided(x.shape[1], dim_product(*block), "channels");
  }
  if (!image) {
    const Fact &extents = c.in(1), &blocks = c.in(2);
    const Fact& list = extents.complete() ? extents : blocks;
    if (!list.complete() || list.rank() != 1 || list.shape[0] > 32) return out_type(c, 0, x.dtype);
    out.resize(2 + static_cast<std::size_t>(list.shape[0]), unknown);
  } else {
    for (std::int64_t extent : *image) out.push_back(std::max(unknown, extent));
  }
  c.out(0, Fact::of(x.dtype, std::move(out)));
}

}  // namespace

void add_space_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "AffineGrid", infer_affine_grid, nullptr, 1u << 1});
  defs.push_back({"", "CenterCropPad", infer_center_crop_pad, nullptr, 1u << 1});
  defs.push_back({"", "Col2Im", infer_col2im, nullptr, 1u << 1 | 1u << 2});
  defs.push_back({"", "DepthToSpace", infer_depth_to_space});
  defs.push_back({"", "GridSample", infer_grid_sample});
  defs.push_back({"", "SpaceToDepth", infer_space_to_depth});
}

}  // namespace coppice::graph::ops
