// Operators whose output size depends on an operand's elements.
#include "graph/ops/content.hpp"
#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

// k is an attribute before operator set 10.
void infer_top_k(InferContext& c) {
  const Fact data = c.in(0);
  if (!data.ranked) {
    out_type(c, 0, data.dtype);
    return out_type(c, 1, DType::int64);
  }
  const std::size_t axis = axis_of(c.node().int_or("axis", -1), data.rank());
  const auto k = c.node().has("k") ? std::optional(c.node().int_or("k", 1)) : int_operand(c, 1);
  Shape shape = data.shape;
  if (k && (*k < 0 || (shape[axis] >= 0 && *k > shape[axis])))
    fail("expected k of at most " + std::to_string(shape[axis]) + ", found " + std::to_string(*k));
  shape[axis] = k.value_or(unknown);
  c.out(0, Fact::of(data.dtype, shape));
  c.out(1, Fact::of(DType::int64, std::move(shape)));
}

void infer_non_zero(InferContext& c) {
  const Fact& data = c.in(0);
  const std::int64_t rank = data.ranked ? static_cast<std::int64_t>(data.rank()) : unknown;
  if (!data.content || !data.content->all_known() || size_of(*data.content) == 0)
    return c.out(0, Fact::of(DType::int64, {rank, unknown}));
  std::vector<std::int64_t> hits;
  for (std::size_t i = 0; i < size_of(*data.content); ++i)
    if (data.content->reals.empty() ? data.content->ints[i] != 0 : data.content->reals[i] != 0)
      hits.push_back(static_cast<std::int64_t>(i));
  const auto strides = strides_of(data.shape);
  auto content = std::make_shared<Content>();
  for (std::size_t d = 0; d < data.rank(); ++d)
    for (std::int64_t hit : hits) content->ints.push_back(hit / strides[d] % data.shape[d]);
  c.out(0, with_content(DType::int64, {rank, static_cast<std::int64_t>(hits.size())}, content));
}

void infer_one_hot(InferContext& c) {
  expect_inputs(c, 3);
  const Fact &indices = c.in(0), &values = c.in(2);
  if (!indices.ranked) return out_type(c, 0, values.dtype);
  const std::size_t axis = axis_of(c.node().int_or("axis", -1), indices.rank() + 1);
  auto depth = int_operand(c, 1);
  if (const auto real = real_operand(c, 1); !depth && real && *real >= 0 && *real < 1e15)
    depth = static_cast<std::int64_t>(*real);
  if (depth && *depth < 0) fail("expected a depth, found " + std::to_string(*depth));
  Fact out = Fact::of(values.dtype, indices.shape);
  out.shape.insert(out.shape.begin() + static_cast<std::ptrdiff_t>(axis), depth.value_or(unknown));
  if (depth && indices.content && values.content && size_of(*values.content) == 2 && !indices.content->ints.empty() &&
      out.complete() && followed(out.dtype, dim_product(out.shape))) {
    const std::int64_t inner = strides_of(out.shape)[axis];
    std::vector<std::int64_t> from(static_cast<std::size_t>(dim_product(out.shape)));
    for (std::size_t i = 0; i < from.size(); ++i) {
      const auto flat = static_cast<std::int64_t>(i);
      const auto index = int_at(indices, static_cast<std::size_t>(flat / (inner * *depth) * inner + flat % inner));
      const std::int64_t position = flat / inner % *depth;
      from[i] = index ? (*index == position || *index + *depth == position ? 1 : 0) : unknown;
    }
    out.content = pick(*values.content, from);
  }
  c.out(0, std::move(out));
}

void infer_unique(InferContext& c) {
  const Fact data = c.in(0);
  const bool flat = !c.node().has("axis");
  std::int64_t count = unknown;
  if (!data.ranked) {
    out_type(c, 0, data.dtype);
  } else if (flat) {
    count = dim_product(data.shape);
    c.out(0, Fact::of(data.dtype, {unknown}));
  } else {
    const std::size_t axis = axis_of(c.node().int_or("axis", 0), data.rank());
    Shape shape = data.shape;
    count = shape[axis];
    shape[axis] = unknown;
    c.out(0, Fact::of(data.dtype, std::move(shape)));
  }
  c.out(1, Fact::of(DType::int64, {unknown}));
  c.out(2, Fact::of(DType::int64, {count}));
  c.out(3, Fact::of(DType::int64, {unknown}));
}

}  // namespace

void add_select_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "TopK", infer_top_k, nullptr, 0b10});
  defs.push_back({"", "NonZero", infer_non_zero});
  defs.push_back({"", "OneHot", infer_one_hot, nullptr, 0b10});
  defs.push_back({"", "Unique", infer_unique});
}

}  // namespace coppice::graph::ops
