#include "graph/ops/helpers.hpp"

#include <algorithm>

#include "coppice/base/checked.hpp"
#include "coppice/base/error.hpp"

namespace coppice::graph::ops {

void fail(const std::string& what) {
  throw Error(what);
}

std::string show(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string out;
  for (std::int64_t extent : shape) {
    if (!out.empty()) out += 'x';
    out += extent < 0 ? "?" : std::to_string(extent);
  }
  return out;
}

std::int64_t dim_add(std::int64_t a, std::int64_t b) {
  if (a < 0 || b < 0) return unknown;
  const auto sum = base::checked_add(a, b);
  if (!sum) fail("extent " + std::to_string(a) + " + " + std::to_string(b) + " overflows");
  return *sum;
}

std::int64_t dim_mul(std::int64_t a, std::int64_t b) {
  if (a == 0 || b == 0) return 0;
  if (a < 0 || b < 0) return unknown;
  const auto product = base::checked_mul(a, b);
  if (!product) fail("extent " + std::to_string(a) + " x " + std::to_string(b) + " overflows");
  return *product;
}

std::int64_t dim_product(std::span<const std::int64_t> extents) {
  if (std::find(extents.begin(), extents.end(), 0) != extents.end()) return 0;
  std::int64_t out = 1;
  for (std::int64_t extent : extents) out = dim_mul(out, extent);
  return out;
}

std::int64_t dim_same(std::int64_t a, std::int64_t b, std::string_view what) {
  if (a >= 0 && b >= 0 && a != b)
    fail(std::string(what) + ": expected " + std::to_string(a) + ", found " + std::to_string(b));
  return a >= 0 ? a : b;
}

Shape broadcast(const Shape& a, const Shape& b) {
  const Shape& longer = a.size() >= b.size() ? a : b;
  const Shape& shorter = a.size() >= b.size() ? b : a;
  Shape out = longer;
  const std::size_t offset = longer.size() - shorter.size();
  for (std::size_t i = 0; i < shorter.size(); ++i) {
    std::int64_t& have = out[offset + i];
    const std::int64_t other = shorter[i];
    if (have == other || other == 1) continue;
    if (have == 1) {
      have = other;
    } else if (have < 0) {
      have = other;  // an unknown extent beside a known one other than 1 is that one or 1
    } else if (other >= 0) {
      fail("expected shapes that broadcast, found " + show(a) + " and " + show(b));
    }
  }
  return out;
}

std::optional<Shape> broadcast_inputs(const InferContext& c, std::size_t first, std::size_t last) {
  Shape out;
  for (std::size_t i = first; i < last; ++i) {
    const Fact& fact = c.in(i);
    if (!fact.ranked) return std::nullopt;
    out = i == first ? fact.shape : broadcast(out, fact.shape);
  }
  return out;
}

std::size_t axis_of(std::int64_t axis, std::size_t rank) {
  const auto r = static_cast<std::int64_t>(rank);
  if (axis < -r || axis >= r) fail("axis " + std::to_string(axis) + " is out of range for rank " + std::to_string(r));
  return static_cast<std::size_t>(axis < 0 ? axis + r : axis);
}

std::vector<std::size_t> axes_of(std::span<const std::int64_t> axes, std::size_t rank) {
  std::vector<std::size_t> out;
  if (axes.size() > rank) fail(std::to_string(axes.size()) + " axes for rank " + std::to_string(rank));
  out.reserve(axes.size());
  for (std::int64_t axis : axes) {
    const std::size_t normal = axis_of(axis, rank);
    if (std::find(out.begin(), out.end(), normal) != out.end()) fail("axis " + std::to_string(axis) + " stands twice");
    out.push_back(normal);
  }
  return out;
}

IntList int_list(const InferContext& c, std::string_view name, std::size_t input) {
  IntList out;
  if (c.node().has(name)) {
    const auto values = c.node().ints(name);
    return {true, true, {values.begin(), values.end()}};
  }
  if (!c.has_input(input)) return out;
  out.present = true;
  if (auto values = c.in(input).int_values()) {
    out.known = true;
    out.values = std::move(*values);
  }
  return out;
}

std::optional<std::int64_t> int_operand(const InferContext& c, std::size_t i) {
  const Fact& fact = c.in(i);
  if (!fact.content || fact.content->ints.size() != 1 || !fact.content->known(0)) return std::nullopt;
  return fact.content->ints[0];
}

std::optional<double> real_operand(const InferContext& c, std::size_t i) {
  const Fact& fact = c.in(i);
  if (auto whole = int_operand(c, i)) return static_cast<double>(*whole);
  if (!fact.content || fact.content->reals.size() != 1 || !fact.content->known(0)) return std::nullopt;
  return fact.content->reals[0];
}

std::optional<std::int64_t> int_at(const Fact& fact, std::size_t i) {
  if (!fact.content || i >= fact.content->ints.size() || !fact.content->known(i)) return std::nullopt;
  return fact.content->ints[i];
}

std::optional<std::vector<std::optional<std::int64_t>>> extent_list(const Fact& fact) {
  if (!fact.ranked || fact.rank() > 1) return std::nullopt;
  const std::int64_t count = fact.shape.empty() ? 1 : fact.shape[0];
  if (count < 0 || count > max_rank) return std::nullopt;
  std::vector<std::optional<std::int64_t>> out(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = int_at(fact, i);
  return out;
}

void expect_rank(const InferContext& c, std::size_t i, std::size_t lowest, std::size_t highest) {
  const Fact& fact = c.in(i);
  if (!fact.ranked || (fact.rank() >= lowest && fact.rank() <= highest)) return;
  const std::string wanted = lowest == highest ? std::to_string(lowest) : "at least " + std::to_string(lowest);
  fail("operand " + std::to_string(i) + ": expected rank " + wanted + ", found " + show(fact.shape));
}

void expect_inputs(const InferContext& c, std::size_t count) {
  if (c.input_count() < count)
    fail("expected at least " + std::to_string(count) + " operands, found " + std::to_string(c.input_count()));
}

void same_as_input(InferContext& c) {
  const Fact& in = c.in(0);
  c.out(0, {in.dtype, in.ranked, in.shape, nullptr});
}

void out_type(InferContext& c, std::size_t i, DType dtype) {
  c.out(i, {dtype, false, {}, nullptr});
}

DType dtype_attribute(const InferContext& c, std::string_view name, DType fallback) {
  return static_cast<DType>(c.node().int_or(name, static_cast<std::int64_t>(fallback)));
}

}  // namespace coppice::graph::ops
