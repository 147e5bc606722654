#include <algorithm>

#include "graph/ops/content.hpp"
#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

// Appends, for every index before `axis`, the parts in turn. A part without content counts as unknown elements.
ContentPtr joined(const InferContext& c, const Fact& out, std::size_t axis) {
  bool any = false;
  std::vector<ContentPtr> parts;
  std::vector<std::size_t> run;
  for (std::size_t i = 0; i < c.input_count(); ++i) {
    const Fact& part = c.in(i);
    if (!part.complete()) return nullptr;
    // A contradicting file joins whole numbers with real ones.
    const bool fits =
        part.content && (tensor::is_real(out.dtype) ? part.content->ints.empty() : part.content->reals.empty());
    any = any || fits;
    parts.push_back(fits ? part.content : nullptr);
    run.push_back(static_cast<std::size_t>(dim_product(std::span(part.shape).subspan(axis))));
  }
  const auto count = static_cast<std::size_t>(dim_product(out.shape));
  if (!any) return nullptr;
  auto content = std::make_shared<Content>();
  const bool real = tensor::is_real(out.dtype);
  if (real)
    content->reals.resize(count);
  else
    content->ints.resize(count);
  const auto outer = static_cast<std::size_t>(dim_product(std::span(out.shape).first(axis)));
  std::size_t to = 0;
  for (std::size_t o = 0; o < outer; ++o) {
    for (std::size_t i = 0; i < parts.size(); ++i) {
      for (std::size_t k = o * run[i]; k < (o + 1) * run[i]; ++k, ++to) {
        if (!parts[i] || !parts[i]->known(k))
          forget(*content, to, count);
        else if (real)
          content->reals[to] = parts[i]->reals[k];
        else
          content->ints[to] = parts[i]->ints[k];
      }
    }
  }
  return content;
}

void infer_concat(InferContext& c) {
  expect_inputs(c, 1);
  Fact out;
  std::size_t axis = 0;
  bool all_ranked = true;
  for (std::size_t i = 0; i < c.input_count(); ++i) {
    const Fact& part = c.in(i);
    if (out.dtype == DType::undefined) out.dtype = part.dtype;
    if (!part.ranked) {
      all_ranked = false;
      continue;
    }
    if (!out.ranked) {
      expect_rank(c, i, 1, SIZE_MAX);
      axis = axis_of(c.node().int_or("axis", 1), part.rank());
      out.ranked = true;
      out.shape = part.shape;
      continue;
    }
    if (part.rank() != out.rank())
      fail("expected operands of one rank, found " + show(out.shape) + " and " + show(part.shape));
    for (std::size_t d = 0; d < out.rank(); ++d) {
      if (d == axis)
        out.shape[d] = dim_add(out.shape[d], part.shape[d]);
      else
        out.shape[d] =
            dim_same(out.shape[d], part.shape[d], "operand " + std::to_string(i) + ", axis " + std::to_string(d));
    }
  }
  if (out.ranked && !all_ranked) out.shape[axis] = unknown;
  if (out.complete() && followed(out.dtype, dim_product(out.shape))) out.content = joined(c, out, axis);
  c.out(0, std::move(out));
}

}  // namespace

void add_join_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "Concat", infer_concat});
}

}  // namespace coppice::graph::ops
