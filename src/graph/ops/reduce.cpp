// Reductions along axes.
#include <algorithm>

#include "graph/ops/content.hpp"
#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

enum class Fold { none, sum, product, largest, smallest, mean };

// `kept` has one entry per input axis; reduced elements are visited in row-major order of the input.
ContentPtr folded(const Fact& data, const std::vector<std::uint8_t>& reduced, Fold fold) {
  std::int64_t cells = 1, per_cell = 1;
  std::vector<std::int64_t> steps(data.rank(), 0);
  for (std::size_t d = data.rank(); d-- > 0;) {
    if (reduced[d]) {
      per_cell *= data.shape[d];
      continue;
    }
    steps[d] = cells;
    cells *= data.shape[d];
  }
  if (per_cell == 0) return nullptr;
  const auto strides = strides_of(data.shape);
  const bool real = tensor::is_real(data.dtype);
  const Content& in = *data.content;
  auto out = std::make_shared<Content>();
  const auto n = static_cast<std::size_t>(cells);
  std::vector<std::uint8_t> seen(n, 0);
  if (real)
    out->reals.resize(n);
  else
    out->ints.resize(n);
  const auto merge = [fold](auto a, auto b) {
    if (fold == Fold::product) return static_cast<decltype(a)>(a * b);
    if (fold == Fold::largest) return std::max(a, b);
    if (fold == Fold::smallest) return std::min(a, b);
    return static_cast<decltype(a)>(a + b);
  };
  for (std::size_t i = 0; i < size_of(in); ++i) {
    std::int64_t cell = 0;
    for (std::size_t d = 0; d < data.rank(); ++d)
      cell += static_cast<std::int64_t>(i) / strides[d] % data.shape[d] * steps[d];
    const auto o = static_cast<std::size_t>(cell);
    if (!in.known(i)) {
      forget(*out, o, n);
    } else if (real) {
      out->reals[o] = seen[o] ? merge(out->reals[o], in.reals[i]) : in.reals[i];
    } else if (fold == Fold::largest || fold == Fold::smallest || !seen[o]) {
      out->ints[o] = seen[o] ? merge(out->ints[o], in.ints[i]) : in.ints[i];
    } else {
      out->ints[o] = static_cast<std::int64_t>(
          merge(static_cast<std::uint64_t>(out->ints[o]), static_cast<std::uint64_t>(in.ints[i])));
    }
    seen[o] = 1;
  }
  for (double& x : out->reals) x = round_to(data.dtype, fold == Fold::mean ? x / static_cast<double>(per_cell) : x);
  for (std::int64_t& x : out->ints) x = wrap_to(data.dtype, fold == Fold::mean ? x / per_cell : x);
  return out;
}

template <Fold Kind>
void infer_reduce(InferContext& c) {
  const Fact& data = c.in(0);
  const bool keep = c.node().int_or("keepdims", 1) != 0;
  const IntList axes = int_list(c, "axes", 1);
  if (!data.ranked) return out_type(c, 0, data.dtype);
  if (axes.present && !axes.known) {
    if (keep) return c.out(0, Fact::of(data.dtype, Shape(data.rank(), unknown)));
    return out_type(c, 0, data.dtype);
  }
  if (axes.values.empty() && c.node().int_or("noop_with_empty_axes", 0) != 0) return same_as_input(c);
  std::vector<std::uint8_t> reduced(data.rank(), axes.values.empty() ? 1 : 0);
  for (std::size_t axis : axes_of(axes.values, data.rank())) reduced[axis] = 1;
  Shape out;
  for (std::size_t d = 0; d < data.rank(); ++d) {
    if (!reduced[d]) out.push_back(data.shape[d]);
    if (reduced[d] && keep) out.push_back(1);
  }
  ContentPtr content;
  if (Kind != Fold::none && data.content && size_of(*data.content) > 0) content = folded(data, reduced, Kind);
  c.out(0, with_content(data.dtype, std::move(out), content));
}

// Index of the largest (or smallest) element along the axis.
ContentPtr best_index(const Fact& data, std::size_t axis, bool largest, bool last) {
  const auto strides = strides_of(data.shape);
  const std::int64_t inner = strides[axis], extent = data.shape[axis];
  const auto cells = static_cast<std::int64_t>(size_of(*data.content)) / extent;
  const Content& in = *data.content;
  auto out = std::make_shared<Content>();
  out->ints.resize(static_cast<std::size_t>(cells));
  for (std::int64_t cell = 0; cell < cells; ++cell) {
    const std::int64_t base = cell / inner * inner * extent + cell % inner;
    std::int64_t best = 0;
    bool known = true;
    const auto value = [&](std::int64_t k) {
      const auto i = static_cast<std::size_t>(base + k * inner);
      return in.reals.empty() ? static_cast<double>(in.ints[i]) : in.reals[i];
    };
    for (std::int64_t k = 0; k < extent; ++k) {
      known = known && in.known(static_cast<std::size_t>(base + k * inner));
      const double now = value(k), then = value(best);
      if (largest ? now > then : now < then) best = k;
      if (last && now == then) best = k;
    }
    out->ints[static_cast<std::size_t>(cell)] = best;
    if (!known) forget(*out, static_cast<std::size_t>(cell), static_cast<std::size_t>(cells));
  }
  return out;
}

template <bool Largest>
void infer_arg(InferContext& c) {
  const Fact& data = c.in(0);
  if (!data.ranked) return out_type(c, 0, DType::int64);
  const std::size_t axis = axis_of(c.node().int_or("axis", 0), data.rank());
  Shape out = data.shape;
  if (c.node().int_or("keepdims", 1) != 0)
    out[axis] = 1;
  else
    out.erase(out.begin() + static_cast<std::ptrdiff_t>(axis));
  ContentPtr content;
  if (data.content && size_of(*data.content) > 0)
    content = best_index(data, axis, Largest, c.node().int_or("select_last_index", 0) != 0);
  c.out(0, with_content(DType::int64, std::move(out), content));
}

}  // namespace

void add_reduce_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "ReduceSum", infer_reduce<Fold::sum>, nullptr, 0b10});
  defs.push_back({"", "ReduceProd", infer_reduce<Fold::product>, nullptr, 0b10});
  defs.push_back({"", "ReduceMax", infer_reduce<Fold::largest>, nullptr, 0b10});
  defs.push_back({"", "ReduceMin", infer_reduce<Fold::smallest>, nullptr, 0b10});
  defs.push_back({"", "ReduceMean", infer_reduce<Fold::mean>, nullptr, 0b10});
  for (std::string_view op : {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"})
    defs.push_back({"", op, infer_reduce<Fold::none>, nullptr, 0b10});
  defs.push_back({"", "ArgMax", infer_arg<true>});
  defs.push_back({"", "ArgMin", infer_arg<false>});
}

}  // namespace coppice::graph::ops
