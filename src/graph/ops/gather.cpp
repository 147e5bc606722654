// Selection by index tensors.
#include "graph/ops/content.hpp"
#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

// Index i of an index operand, from the front, when it is known. Throws Error when it is out of range.
std::optional<std::int64_t> index_at(const Fact& indices, std::size_t i, std::int64_t extent) {
  const auto index = int_at(indices, i);
  if (!index || extent < 0) return std::nullopt;
  if (*index < -extent || *index >= extent)
    fail("index " + std::to_string(*index) + " is out of range for extent " + std::to_string(extent));
  return *index < 0 ? *index + extent : *index;
}

void infer_gather(InferContext& c) {
  expect_inputs(c, 2);
  expect_rank(c, 0, 1, SIZE_MAX);
  const Fact &data = c.in(0), &indices = c.in(1);
  if (!data.ranked || !indices.ranked) return out_type(c, 0, data.dtype);
  const std::size_t axis = axis_of(c.node().int_or("axis", 0), data.rank());
  const auto cut = static_cast<std::ptrdiff_t>(axis);
  Shape shape(data.shape.begin(), data.shape.begin() + cut);
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), data.shape.begin() + cut + 1, data.shape.end());
  Fact out = Fact::of(data.dtype, std::move(shape));
  if (!indices.content) return c.out(0, std::move(out));
  const std::size_t count = size_of(*indices.content);
  std::vector<std::optional<std::int64_t>> index(count);
  for (std::size_t i = 0; i < count; ++i) index[i] = index_at(indices, i, data.shape[axis]);
  if (data.content && out.complete() && followed(out.dtype, dim_product(out.shape))) {
    const std::int64_t inner = dim_product(std::span(data.shape).subspan(axis + 1));
    const std::int64_t outer = dim_product(std::span(data.shape).first(axis));
    std::vector<std::int64_t> from;
    for (std::int64_t o = 0; o < outer; ++o)
      for (const auto& wanted : index)
        for (std::int64_t k = 0; k < inner; ++k)
          from.push_back(wanted ? (o * data.shape[axis] + *wanted) * inner + k : unknown);
    out.content = pick(*data.content, from);
  }
  c.out(0, std::move(out));
}

void infer_gather_elements(InferContext& c) {
  expect_inputs(c, 2);
  expect_rank(c, 0, 1, SIZE_MAX);
  const Fact &data = c.in(0), &indices = c.in(1);
  if (data.ranked && indices.ranked && data.rank() != indices.rank())
    fail("expected indices of rank " + std::to_string(data.rank()) + ", found " + show(indices.shape));
  Fact out{data.dtype, indices.ranked, indices.shape, nullptr};
  if (data.ranked && indices.complete() && indices.content && data.content && size_of(*data.content) > 0) {
    const std::size_t axis = axis_of(c.node().int_or("axis", 0), data.rank());
    const auto strides = strides_of(data.shape), own = strides_of(indices.shape);
    std::vector<std::int64_t> from(size_of(*indices.content));
    for (std::size_t i = 0; i < from.size(); ++i) {
      const auto wanted = index_at(indices, i, data.shape[axis]);
      std::int64_t source = wanted ? *wanted * strides[axis] : unknown;
      for (std::size_t d = 0; source >= 0 && d < own.size(); ++d) {
        const std::int64_t position = static_cast<std::int64_t>(i) / own[d] % indices.shape[d];
        if (d != axis && position >= data.shape[d])
          fail("indices " + show(indices.shape) + " reach past data " + show(data.shape));
        if (d != axis) source += position * strides[d];
      }
      from[i] = source;
    }
    if (followed(out.dtype, static_cast<std::int64_t>(from.size()))) out.content = pick(*data.content, from);
  }
  c.out(0, std::move(out));
}

// Output: indices.shape[:-1] + data.shape[batch_dims + indices.shape[-1]:].
void infer_gather_nd(InferContext& c) {
  expect_inputs(c, 2);
  expect_rank(c, 0, 1, SIZE_MAX);
  expect_rank(c, 1, 1, SIZE_MAX);
  const Fact &data = c.in(0), &indices = c.in(1);
  if (!data.ranked || !indices.ranked || indices.shape.back() < 0) return out_type(c, 0, data.dtype);
  const std::int64_t batch = c.node().int_or("batch_dims", 0), tuple = indices.shape.back();
  const auto rank = static_cast<std::int64_t>(data.rank());
  if (batch < 0 || batch >= static_cast<std::int64_t>(indices.rank()) || tuple > rank - batch)
    fail("index tuples of " + std::to_string(tuple) + " with batch_dims " + std::to_string(batch) + " don't fit data " +
         show(data.shape));
  const auto first_kept = static_cast<std::size_t>(batch + tuple);
  Shape shape(indices.shape.begin(), indices.shape.end() - 1);
  for (std::size_t d = 0; d < static_cast<std::size_t>(batch); ++d)
    shape[d] = dim_same(data.shape[d], shape[d], "batch extent of the indices");
  shape.insert(shape.end(), data.shape.begin() + static_cast<std::ptrdiff_t>(first_kept), data.shape.end());
  Fact out = Fact::of(data.dtype, std::move(shape));
  if (batch == 0 && indices.content && data.content && size_of(*data.content) > 0 &&
      followed(out.dtype, dim_product(out.shape))) {
    const auto strides = strides_of(data.shape);
    const std::int64_t block = dim_product(std::span(data.shape).subspan(first_kept));
    const std::size_t tuples = tuple == 0 ? 0 : size_of(*indices.content) / static_cast<std::size_t>(tuple);
    std::vector<std::int64_t> from;
    for (std::size_t t = 0; t < tuples; ++t) {
      std::int64_t source = 0;
      for (std::size_t d = 0; d < first_kept; ++d) {
        const auto index = index_at(indices, t * first_kept + d, data.shape[d]);
        source = index && source >= 0 ? source + *index * strides[d] : unknown;
      }
      for (std::int64_t k = 0; k < block; ++k) from.push_back(source < 0 ? unknown : source + k);
    }
    if (tuple > 0) out = with_content(out.dtype, out.shape, pick(*data.content, from));
  }
  c.out(0, std::move(out));
}

}  // namespace

void add_gather_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "Gather", infer_gather});
  defs.push_back({"", "GatherElements", infer_gather_elements});
  defs.push_back({"", "GatherND", infer_gather_nd});
}

}  // namespace coppice::graph::ops
