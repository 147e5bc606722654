// Where shapes become data.
#include <algorithm>

#include "graph/ops/content.hpp"
#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

void infer_shape(InferContext& c) {
  const Fact& in = c.in(0);
  if (!in.ranked) return c.out(0, Fact::of(DType::int64, {unknown}));
  const auto rank = static_cast<std::int64_t>(in.rank());
  const auto bound = [&](std::int64_t axis) {
    return std::clamp<std::int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
  };
  const std::int64_t start = bound(c.node().int_or("start", 0));
  const std::int64_t end = std::max(start, bound(c.node().int_or("end", rank)));
  const auto extents =
      std::span(in.shape).subspan(static_cast<std::size_t>(start), static_cast<std::size_t>(end - start));
  c.out(0, with_content(DType::int64, {end - start}, from_extents(extents)));
}

void infer_size(InferContext& c) {
  const Fact& in = c.in(0);
  const std::int64_t count = in.ranked ? dim_product(in.shape) : unknown;
  c.out(0, with_content(DType::int64, {}, from_extents({&count, 1})));
}

}  // namespace

void add_shape_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "Shape", infer_shape});
  defs.push_back({"", "Size", infer_size});
}

}  // namespace coppice::graph::ops
