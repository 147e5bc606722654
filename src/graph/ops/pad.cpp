#include "graph/ops/content.hpp"
#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

using Amounts = std::vector<std::optional<std::int64_t>>;

// Begin amounts of all axes, then end amounts; nothing when their places are unknown.
std::optional<Amounts> amounts(const InferContext& c, std::size_t rank) {
  std::optional<Amounts> given;
  if (c.node().has("pads")) {
    const auto pads = c.node().ints("pads");
    given.emplace(pads.begin(), pads.end());
  } else {
    given = extent_list(c.in(1));
  }
  if (!given) return std::nullopt;
  std::vector<std::size_t> axes(rank);
  for (std::size_t d = 0; d < rank; ++d) axes[d] = d;
  if (c.has_input(3)) {
    const auto listed = c.in(3).int_values();
    if (!listed) return std::nullopt;
    axes = axes_of(*listed, rank);
  }
  if (given->size() != 2 * axes.size())
    fail("expected " + std::to_string(2 * axes.size()) + " pads, found " + std::to_string(given->size()));
  Amounts out(2 * rank, 0);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    out[axes[i]] = (*given)[i];
    out[rank + axes[i]] = (*given)[axes.size() + i];
  }
  return out;
}

// Element at position p of the output axis comes from p - begin, or is the fill value (-1).
ContentPtr padded(const Content& data, const Shape& from, const Shape& to, const Amounts& pads, const Content& fill) {
  auto both = std::make_shared<Content>(data);  // the data, then the fill value
  const std::size_t n = size_of(data);
  if (data.reals.empty() ? fill.ints.size() != 1 : fill.reals.size() != 1) return nullptr;
  if (!fill.known(0) || !both->unknown.empty()) both->unknown.resize(n + 1, 0);
  if (!fill.known(0)) both->unknown[n] = 1;
  both->ints.insert(both->ints.end(), fill.ints.begin(), fill.ints.end());
  both->reals.insert(both->reals.end(), fill.reals.begin(), fill.reals.end());
  const auto strides = strides_of(from), own = strides_of(to);
  std::vector<std::int64_t> source(static_cast<std::size_t>(dim_product(to)), 0);
  for (std::size_t i = 0; i < source.size(); ++i) {
    for (std::size_t d = 0; d < to.size(); ++d) {
      const std::int64_t p = static_cast<std::int64_t>(i) / own[d] % to[d] - *pads[d];
      if (p < 0 || p >= from[d]) {
        source[i] = static_cast<std::int64_t>(n);
        break;
      }
      source[i] += p * strides[d];
    }
  }
  return pick(*both, source);
}

ContentPtr fill_value(const InferContext& c, DType dtype) {
  if (c.has_input(2)) return c.in(2).content;
  auto zero = std::make_shared<Content>();
  if (tensor::is_real(dtype))
    zero->reals = {static_cast<double>(c.node().float_or("value", 0))};
  else
    zero->ints = {0};
  return zero;
}

void infer_pad(InferContext& c) {
  const Fact& data = c.in(0);
  if (!data.ranked) return out_type(c, 0, data.dtype);
  Fact out = Fact::of(data.dtype, Shape(data.rank(), unknown));
  const auto pads = amounts(c, data.rank());
  if (!pads) return c.out(0, std::move(out));
  for (std::size_t d = 0; d < data.rank(); ++d) {
    const auto begin = (*pads)[d], end = (*pads)[data.rank() + d];
    if (!begin || !end || data.shape[d] < 0) continue;
    std::int64_t extent = 0;
    if (__builtin_add_overflow(*begin, *end, &extent) || __builtin_add_overflow(extent, data.shape[d], &extent) ||
        extent < 0)
      fail("pads " + std::to_string(*begin) + " and " + std::to_string(*end) + " don't fit axis " + std::to_string(d) +
           " of " + show(data.shape));
    out.shape[d] = extent;
  }
  if (data.content && size_of(*data.content) > 0 && c.node().string_or("mode", "constant") == "constant" &&
      out.complete() && followed(out.dtype, dim_product(out.shape)))
    if (const ContentPtr fill = fill_value(c, out.dtype))
      out.content = padded(*data.content, data.shape, out.shape, *pads, *fill);
  c.out(0, std::move(out));
}

}  // namespace

void add_pad_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "Pad", infer_pad, nullptr, 0b1010});
}

}  // namespace coppice::graph::ops
