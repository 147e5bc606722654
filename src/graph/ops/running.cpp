// Running sums and triangles.
#include "graph/ops/content.hpp"
#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

ContentPtr cumulated(const Fact& data, std::size_t axis, bool exclusive, bool reverse) {
  const std::int64_t inner = strides_of(data.shape)[axis], extent = data.shape[axis];
  const Content& in = *data.content;
  auto out = std::make_shared<Content>(in);
  const std::size_t n = size_of(in);
  const bool real = !in.reals.empty();
  for (std::size_t start = 0; start < n; ++start) {
    if (static_cast<std::int64_t>(start) / inner % extent != 0) continue;
    bool known = true;
    std::uint64_t whole = 0;
    double sum = 0;
    for (std::int64_t step = 0; step < extent; ++step) {
      const std::int64_t k = reverse ? extent - 1 - step : step;
      const auto i = start + static_cast<std::size_t>(k * inner);
      const auto put = [&] {
        if (!known) return forget(*out, i, n);
        if (!out->unknown.empty()) out->unknown[i] = 0;
        if (real)
          out->reals[i] = sum;
        else
          out->ints[i] = wrap_to(data.dtype, static_cast<std::int64_t>(whole));
      };
      if (exclusive) put();
      known = known && in.known(i);
      if (real)
        sum = round_to(data.dtype, sum + in.reals[i]);
      else
        whole += static_cast<std::uint64_t>(in.ints[i]);
      if (!exclusive) put();
    }
  }
  return out;
}

void infer_cumsum(InferContext& c) {
  expect_inputs(c, 2);
  const Fact& data = c.in(0);
  Fact out{data.dtype, data.ranked, data.shape, nullptr};
  const auto axis = int_operand(c, 1);
  if (data.ranked && axis) {
    const std::size_t normal = axis_of(*axis, data.rank());
    if (data.content && size_of(*data.content) > 0)
      out.content = cumulated(data, normal, c.node().int_or("exclusive", 0) != 0, c.node().int_or("reverse", 0) != 0);
  }
  c.out(0, std::move(out));
}

void infer_trilu(InferContext& c) {
  const Fact& data = c.in(0);
  expect_rank(c, 0, 2, SIZE_MAX);
  Fact out{data.dtype, data.ranked, data.shape, nullptr};
  const auto k = c.has_input(1) ? int_operand(c, 1) : 0;
  if (data.ranked && data.content && k && size_of(*data.content) > 0) {
    const bool upper = c.node().int_or("upper", 1) != 0;
    const std::int64_t columns = data.shape.back(), rows = data.shape[data.rank() - 2];
    auto content = std::make_shared<Content>(*data.content);
    for (std::size_t i = 0; i < size_of(*content); ++i) {
      const std::int64_t column = static_cast<std::int64_t>(i) % columns;
      const std::int64_t row = static_cast<std::int64_t>(i) / columns % rows;
      if (upper ? column - row >= *k : column - row <= *k) continue;
      if (!content->unknown.empty()) content->unknown[i] = 0;
      if (content->reals.empty())
        content->ints[i] = 0;
      else
        content->reals[i] = 0;
    }
    out.content = std::move(content);
  }
  c.out(0, std::move(out));
}

}  // namespace

void add_running_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "CumSum", infer_cumsum, nullptr, 0b10});
  defs.push_back({"", "CumProd", same_as_input, nullptr, 0b10});
  defs.push_back({"", "Trilu", infer_trilu, nullptr, 0b10});
}

}  // namespace coppice::graph::ops
