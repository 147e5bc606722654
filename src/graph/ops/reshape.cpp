// Operators that change the shape and leave the elements in order, so that content passes unchanged.
#include <algorithm>

#include "graph/ops/content.hpp"
#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

std::string elements(std::int64_t count) {
  return count < 0 ? "?" : std::to_string(count);
}

// The extent left for the one open position of a target: the input's elements over the product of the other extents.
// Unknown input extents that the target copies (`copied`) cancel.
std::int64_t remainder(const Shape& in, const std::vector<std::uint8_t>& copied, const Shape& out, std::size_t open) {
  std::int64_t have = 1, taken = 1;
  for (std::size_t i = 0; i < in.size(); ++i)
    if (!copied[i]) have = dim_mul(have, in[i]);
  for (std::size_t i = 0; i < out.size(); ++i)
    if (i != open && !(i < copied.size() && copied[i])) taken = dim_mul(taken, out[i]);
  if (have < 0 || taken < 0) return unknown;
  if (taken == 0 ? have != 0 : have % taken != 0)
    fail("expected a target for " + elements(have) + " elements, found " + show(out));
  return taken == 0 ? 0 : have / taken;
}

void infer_reshape(InferContext& c) {
  expect_inputs(c, 2);
  const Fact& data = c.in(0);
  const auto target = extent_list(c.in(1));
  if (!target) return out_type(c, 0, data.dtype);
  const bool zero_is_zero = c.node().int_or("allowzero", 0) != 0;
  Shape out(target->size(), unknown);
  std::vector<std::uint8_t> copied(data.rank(), 0);
  std::size_t inferred = 0, unknowns = 0, open = out.size();
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto wanted = (*target)[i];
    if (!wanted || *wanted == -1) {
      ++(wanted ? inferred : unknowns);
      open = i;
    } else if (*wanted < -1) {
      fail("expected a target shape, found extent " + std::to_string(*wanted));
    } else if (*wanted == 0 && !zero_is_zero) {
      if (data.ranked && i >= data.rank()) fail("target copies axis " + std::to_string(i) + " of " + show(data.shape));
      if (!data.ranked) continue;
      out[i] = data.shape[i];
      copied[i] = 1;
    } else {
      out[i] = *wanted;
    }
  }
  if (inferred > 1) fail("expected at most one -1 in the target");
  if (data.ranked && inferred + unknowns == 1) {
    out[open] = remainder(data.shape, copied, out, open);
  } else if (data.ranked && inferred + unknowns == 0) {
    const std::int64_t have = dim_product(data.shape), want = dim_product(out);
    if (have >= 0 && want >= 0 && have != want)
      fail("expected " + elements(have) + " elements as in " + show(data.shape) + ", found " + show(out));
  }
  c.out(0, with_content(data.dtype, std::move(out), data.content));
}

void infer_flatten(InferContext& c) {
  const Fact& data = c.in(0);
  if (!data.ranked) return out_type(c, 0, data.dtype);
  const auto rank = static_cast<std::int64_t>(data.rank());
  std::int64_t axis = c.node().int_or("axis", 1);
  if (axis < -rank || axis > rank) fail("axis " + std::to_string(axis) + " is out of range for " + show(data.shape));
  if (axis < 0) axis += rank;
  const auto cut = static_cast<std::size_t>(axis);
  const std::span extents(data.shape);
  c.out(0,
        with_content(data.dtype, {dim_product(extents.first(cut)), dim_product(extents.subspan(cut))}, data.content));
}

void infer_squeeze(InferContext& c) {
  const Fact& data = c.in(0);
  const IntList axes = int_list(c, "axes", 1);
  if (!data.ranked || (axes.present && !axes.known)) return out_type(c, 0, data.dtype);
  std::vector<std::uint8_t> dropped(data.rank(), 0);
  if (axes.present) {
    for (std::size_t axis : axes_of(axes.values, data.rank())) {
      if (data.shape[axis] > 1 || data.shape[axis] == 0)
        fail("expected extent 1 on axis " + std::to_string(axis) + ", found " + show(data.shape));
      dropped[axis] = 1;
    }
  } else {
    if (!data.complete()) return out_type(c, 0, data.dtype);
    for (std::size_t d = 0; d < data.rank(); ++d) dropped[d] = data.shape[d] == 1;
  }
  Shape out;
  for (std::size_t d = 0; d < data.rank(); ++d)
    if (!dropped[d]) out.push_back(data.shape[d]);
  c.out(0, with_content(data.dtype, std::move(out), data.content));
}

void infer_unsqueeze(InferContext& c) {
  const Fact& data = c.in(0);
  const IntList axes = int_list(c, "axes", 1);
  if (!axes.present) fail("expected axes");
  if (!data.ranked || !axes.known) return out_type(c, 0, data.dtype);
  const std::size_t rank = data.rank() + axes.values.size();
  std::vector<std::uint8_t> added(rank, 0);
  for (std::size_t axis : axes_of(axes.values, rank)) added[axis] = 1;
  Shape out;
  for (std::size_t d = 0, from = 0; d < rank; ++d) out.push_back(added[d] ? 1 : data.shape[from++]);
  c.out(0, with_content(data.dtype, std::move(out), data.content));
}

}  // namespace

void add_reshape_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "Reshape", infer_reshape, nullptr, 0b10});
  defs.push_back({"", "Flatten", infer_flatten});
  defs.push_back({"", "Squeeze", infer_squeeze, nullptr, 0b10});
  defs.push_back({"", "Unsqueeze", infer_unsqueeze, nullptr, 0b10});
}

}  // namespace coppice::graph::ops
