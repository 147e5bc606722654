// Operators that move or repeat elements.
#include "graph/ops/content.hpp"
#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

void infer_transpose(InferContext& c) {
  const Fact& data = c.in(0);
  if (!data.ranked) return out_type(c, 0, data.dtype);
  const auto perm = c.node().ints("perm");
  std::vector<std::size_t> order(data.rank());
  if (c.node().has("perm")) {
    if (perm.size() != data.rank())
      fail("expected a permutation of " + std::to_string(data.rank()) + " axes, found " + std::to_string(perm.size()));
    order = axes_of(perm, data.rank());
  } else {
    for (std::size_t d = 0; d < order.size(); ++d) order[d] = order.size() - 1 - d;
  }
  Shape shape;
  for (std::size_t axis : order) shape.push_back(data.shape[axis]);
  Fact out = Fact::of(data.dtype, std::move(shape));
  if (data.content && size_of(*data.content) > 0) {
    const auto strides = strides_of(data.shape);
    std::vector<std::int64_t> steps;
    for (std::size_t axis : order) steps.push_back(strides[axis]);
    out.content = pick_strided(*data.content, 0, out.shape, steps);
  }
  c.out(0, std::move(out));
}

void infer_expand(InferContext& c) {
  expect_inputs(c, 2);
  const Fact& data = c.in(0);
  const auto target = extent_list(c.in(1));
  if (!data.ranked || !target) return out_type(c, 0, data.dtype);
  Shape wanted;
  for (const auto& extent : *target) {
    if (extent && *extent < 0) fail("expected a shape, found extent " + std::to_string(*extent));
    wanted.push_back(extent.value_or(unknown));
  }
  Fact out = Fact::of(data.dtype, broadcast(data.shape, wanted));
  if (data.content && size_of(*data.content) > 0 && out.complete() && followed(out.dtype, dim_product(out.shape)))
    out.content = broadcast_content(data.content, data.shape, out.shape);
  c.out(0, std::move(out));
}

void infer_tile(InferContext& c) {
  expect_inputs(c, 2);
  const Fact& data = c.in(0);
  if (!data.ranked) return out_type(c, 0, data.dtype);
  const auto repeats = extent_list(c.in(1));
  Fact out = Fact::of(data.dtype, Shape(data.rank(), unknown));
  if (!repeats) return c.out(0, std::move(out));
  if (repeats->size() != data.rank())
    fail("expected " + std::to_string(data.rank()) + " repeats, found " + std::to_string(repeats->size()));
  for (std::size_t d = 0; d < data.rank(); ++d) {
    const auto times = (*repeats)[d];
    if (times && *times < 0) fail("expected a number of repeats, found " + std::to_string(*times));
    out.shape[d] = dim_mul(data.shape[d], times.value_or(unknown));
  }
  if (data.content && out.complete() && followed(out.dtype, dim_product(out.shape))) {
    const auto strides = strides_of(data.shape), own = strides_of(out.shape);
    std::vector<std::int64_t> from(static_cast<std::size_t>(dim_product(out.shape)), 0);
    for (std::size_t i = 0; i < from.size(); ++i)
      for (std::size_t d = 0; d < own.size(); ++d)
        from[i] += static_cast<std::int64_t>(i) / own[d] % out.shape[d] % data.shape[d] * strides[d];
    out.content = pick(*data.content, from);
  }
  c.out(0, std::move(out));
}

}  // namespace

void add_layout_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "Transpose", infer_transpose});
  defs.push_back({"", "Expand", infer_expand, nullptr, 0b10});
  defs.push_back({"", "Tile", infer_tile, nullptr, 0b10});
}

}  // namespace coppice::graph::ops
