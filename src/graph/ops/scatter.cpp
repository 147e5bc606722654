// Writing into a tensor by index.
#include "graph/ops/content.hpp"
#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

std::optional<std::int64_t> place(const Fact& indices, std::size_t i, std::int64_t extent) {
  const auto index = int_at(indices, i);
  if (!index || extent < 0) return std::nullopt;
  if (*index < -extent || *index >= extent)
    fail("index " + std::to_string(*index) + " is out of range for extent " + std::to_string(extent));
  return *index < 0 ? *index + extent : *index;
}

void put(Content& to, std::size_t at, const Content& from, std::size_t i) {
  if (!from.known(i)) return forget(to, at, size_of(to));
  if (!to.unknown.empty()) to.unknown[at] = 0;
  if (to.reals.empty())
    to.ints[at] = from.ints[i];
  else
    to.reals[at] = from.reals[i];
}

// Content is followed where every operand has it and no element is combined with the one it replaces.
bool follow(const InferContext& c) {
  const Fact &data = c.in(0), &updates = c.in(2);
  return data.content && c.in(1).content && updates.content && size_of(*data.content) > 0 &&
         data.content->reals.empty() == updates.content->reals.empty() &&
         c.node().string_or("reduction", "none") == "none";
}

void infer_scatter_elements(InferContext& c) {
  expect_inputs(c, 3);
  expect_rank(c, 0, 1, SIZE_MAX);
  const Fact &data = c.in(0), &indices = c.in(1), &updates = c.in(2);
  Fact out{data.dtype, data.ranked, data.shape, nullptr};
  if (data.ranked && indices.ranked && data.rank() != indices.rank())
    fail("expected indices of rank " + std::to_string(data.rank()) + ", found " + show(indices.shape));
  if (indices.ranked && updates.ranked) {
    if (indices.rank() != updates.rank())
      fail("expected updates like " + show(indices.shape) + ", found " + show(updates.shape));
    for (std::size_t d = 0; d < indices.rank(); ++d) dim_same(indices.shape[d], updates.shape[d], "updates' extent");
  }
  if (data.ranked && indices.ranked && follow(c) && size_of(*indices.content) == size_of(*updates.content)) {
    const std::size_t axis = axis_of(c.node().int_or("axis", 0), data.rank());
    const auto strides = strides_of(data.shape), own = strides_of(indices.shape);
    auto content = std::make_shared<Content>(*data.content);
    for (std::size_t i = 0; content && i < size_of(*updates.content); ++i) {
      const auto index = place(indices, i, data.shape[axis]);
      std::int64_t at = index.value_or(0) * strides[axis];
      for (std::size_t d = 0; d < own.size(); ++d) {
        const std::int64_t position = static_cast<std::int64_t>(i) / own[d] % indices.shape[d];
        if (d != axis && position >= data.shape[d])
          fail("indices " + show(indices.shape) + " reach past data " + show(data.shape));
        if (d != axis) at += position * strides[d];
      }
      if (index)
        put(*content, static_cast<std::size_t>(at), *updates.content, i);
      else
        content = nullptr;
    }
    out.content = std::move(content);
  }
  c.out(0, std::move(out));
}

void infer_scatter_nd(InferContext& c) {
  expect_inputs(c, 3);
  expect_rank(c, 0, 1, SIZE_MAX);
  expect_rank(c, 1, 1, SIZE_MAX);
  const Fact &data = c.in(0), &indices = c.in(1), &updates = c.in(2);
  Fact out{data.dtype, data.ranked, data.shape, nullptr};
  if (!data.ranked || !indices.ranked || indices.shape.back() < 0) return c.out(0, std::move(out));
  const auto tuple = static_cast<std::size_t>(indices.shape.back());
  if (tuple > data.rank()) fail("index tuples of " + std::to_string(tuple) + " don't fit data " + show(data.shape));
  if (updates.ranked) {
    Shape expected(indices.shape.begin(), indices.shape.end() - 1);
    expected.insert(expected.end(), data.shape.begin() + static_cast<std::ptrdiff_t>(tuple), data.shape.end());
    if (expected.size() != updates.rank())
      fail("expected updates " + show(expected) + ", found " + show(updates.shape));
    for (std::size_t d = 0; d < expected.size(); ++d) dim_same(expected[d], updates.shape[d], "updates' extent");
  }
  if (tuple > 0 && follow(c)) {
    const auto strides = strides_of(data.shape);
    const auto block = static_cast<std::size_t>(dim_product(std::span(data.shape).subspan(tuple)));
    auto content = std::make_shared<Content>(*data.content);
    const std::size_t tuples = size_of(*indices.content) / tuple;
    for (std::size_t t = 0; content && t < tuples; ++t) {
      std::int64_t at = 0;
      for (std::size_t d = 0; d < tuple; ++d) {
        const auto index = place(indices, t * tuple + d, data.shape[d]);
        at = index && at >= 0 ? at + *index * strides[d] : unknown;
      }
      if (at < 0 || (t + 1) * block > size_of(*updates.content)) {
        content = nullptr;
        break;
      }
      for (std::size_t k = 0; k < block; ++k)
        put(*content, static_cast<std::size_t>(at) + k, *updates.content, t * block + k);
    }
    out.content = std::move(content);
  }
  c.out(0, std::move(out));
}

}  // namespace

void add_scatter_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "Scatter", infer_scatter_elements});
  defs.push_back({"", "ScatterElements", infer_scatter_elements});
  defs.push_back({"", "ScatterND", infer_scatter_nd});
  defs.push_back({"", "TensorScatter", same_as_input});
}

}  // namespace coppice::graph::ops
