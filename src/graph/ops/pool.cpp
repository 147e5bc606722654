#include <algorithm>

#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"
#include "graph/ops/window.hpp"

namespace coppice::graph::ops {
namespace {

// Shape of the pooled image; nothing when the rank is unknown. Channels stand on axis 1, or last.
std::optional<Shape> pooled(const InferContext& c, bool channels_last) {
  expect_rank(c, 0, 3, 32);
  const Fact& x = c.in(0);
  if (!x.ranked) return std::nullopt;
  Shape shape = x.shape;
  const Window window = read_window(c.node(), shape.size() - 2, {});
  const std::size_t first = channels_last ? 1 : 2;
  for (std::size_t i = 0; i < window.rank(); ++i) shape[i + first] = window_extent(window, i, shape[i + first]);
  return shape;
}

void set_image(InferContext& c, DType dtype, std::optional<Shape> shape) {
  if (shape)
    c.out(0, Fact::of(dtype, std::move(*shape)));
  else
    out_type(c, 0, dtype);
}

void infer_pool(InferContext& c) {
  expect_inputs(c, 1);
  set_image(c, c.in(0).dtype, pooled(c, false));
}

void infer_max_pool(InferContext& c) {
  expect_inputs(c, 1);
  auto shape = pooled(c, false);
  if (shape)
    c.out(1, Fact::of(DType::int64, *shape));
  else
    out_type(c, 1, DType::int64);
  set_image(c, c.in(0).dtype, std::move(shape));
}

void infer_nhwc_max_pool(InferContext& c) {
  expect_inputs(c, 1);
  set_image(c, c.in(0).dtype, pooled(c, true));
}

void infer_qlinear_pool(InferContext& c) {
  expect_inputs(c, 1);
  set_image(c, c.in(0).dtype, pooled(c, c.node().int_or("channels_last", 0) != 0));
}

void infer_global(InferContext& c, bool channels_last) {
  expect_inputs(c, 1);
  expect_rank(c, 0, 2, 32);
  Fact out = Fact::of(c.in(0).dtype, c.in(0).shape);
  out.ranked = c.in(0).ranked;
  for (std::size_t i = 0; i < out.rank(); ++i)
    if (i != 0 && i != (channels_last ? out.rank() - 1 : 1)) out.shape[i] = 1;
  c.out(0, std::move(out));
}

void infer_global_pool(InferContext& c) {
  infer_global(c, false);
}

void infer_qlinear_global_pool(InferContext& c) {
  infer_global(c, c.node().int_or("channels_last", 0) != 0);
}

void infer_max_unpool(InferContext& c) {
  expect_inputs(c, 2);
  expect_rank(c, 0, 3, 32);
  const Fact& x = c.in(0);
  if (!x.ranked) return out_type(c, 0, x.dtype);
  Shape shape = x.shape;
  if (c.has_input(2)) {
    const auto wanted = c.in(2).int_values();
    if (wanted && wanted->size() != shape.size())
      fail("output_shape: expected " + std::to_string(shape.size()) + " numbers, found " +
           std::to_string(wanted->size()));
    for (std::size_t i = 0; i < shape.size(); ++i) shape[i] = wanted ? std::max(unknown, (*wanted)[i]) : unknown;
  } else {
    const Window window = read_window(c.node(), shape.size() - 2, {});
    for (std::size_t i = 0; i < window.rank(); ++i) shape[i + 2] = transposed_extent(window, i, shape[i + 2], 0);
  }
  c.out(0, Fact::of(x.dtype, std::move(shape)));
}

}  // namespace

void add_pool_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "AveragePool", infer_pool});
  defs.push_back({"", "GlobalAveragePool", infer_global_pool});
  defs.push_back({"", "GlobalLpPool", infer_global_pool});
  defs.push_back({"", "GlobalMaxPool", infer_global_pool});
  defs.push_back({"", "LpPool", infer_pool});
  defs.push_back({"", "MaxPool", infer_max_pool});
  defs.push_back({"", "MaxUnpool", infer_max_unpool, nullptr, 1u << 2});
  defs.push_back({"com.microsoft", "NhwcMaxPool", infer_nhwc_max_pool});
  defs.push_back({"com.microsoft", "QLinearAveragePool", infer_qlinear_pool});
  defs.push_back({"com.microsoft", "QLinearGlobalAveragePool", infer_qlinear_global_pool});
}

}  // namespace coppice::graph::ops
