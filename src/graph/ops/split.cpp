#include "graph/ops/content.hpp"
#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

// Sizes of the parts; nothing when they are not known. Without sizes the parts are equal; since operator set 18
// (attribute num_outputs) the last one may be smaller.
std::vector<std::int64_t> part_sizes(const InferContext& c, std::int64_t extent) {
  const auto parts = static_cast<std::int64_t>(c.output_count());
  std::vector<std::int64_t> out(c.output_count(), unknown);
  const IntList given = int_list(c, "split", 1);
  if (given.known && given.values.size() != out.size())
    fail("expected " + std::to_string(out.size()) + " split sizes, found " + std::to_string(given.values.size()));
  if (given.known) {
    std::int64_t sum = 0;
    for (std::int64_t size : given.values) {
      if (size < 0) fail("split size " + std::to_string(size) + " is negative");
      sum = dim_add(sum, size);
    }
    if (extent >= 0 && sum != extent)
      fail("expected split sizes that add up to " + std::to_string(extent) + ", found " + std::to_string(sum));
    return given.values;
  }
  if (given.present) {
    if (const auto list = extent_list(c.in(1)); list && list->size() == out.size())
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = (*list)[i].value_or(unknown);
    return out;
  }
  if (extent < 0 || parts == 0) return out;
  const std::int64_t chunk = extent / parts + (extent % parts != 0 ? 1 : 0);
  if (extent % parts != 0 && !c.node().has("num_outputs"))
    fail("extent " + std::to_string(extent) + " does not split into " + std::to_string(parts) + " equal parts");
  std::int64_t rest = extent;
  for (std::int64_t& size : out) {
    size = std::min(chunk, rest);
    rest -= size;
  }
  return out;
}

void infer_split(InferContext& c) {
  const Fact data = c.in(0);
  if (!data.ranked) {
    for (std::size_t i = 0; i < c.output_count(); ++i) out_type(c, i, data.dtype);
    return;
  }
  const std::size_t axis = axis_of(c.node().int_or("axis", 0), data.rank());
  const std::vector<std::int64_t> sizes = part_sizes(c, data.shape[axis]);
  const bool follow = data.content && size_of(*data.content) > 0;
  const auto strides = follow ? strides_of(data.shape) : std::vector<std::int64_t>();
  std::int64_t start = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    Fact part = Fact::of(data.dtype, data.shape);
    part.shape[axis] = sizes[i];
    if (follow && start >= 0 && sizes[i] >= 0)
      part.content = pick_strided(*data.content, start * strides[axis], part.shape, strides);
    start = dim_add(start, sizes[i]);
    c.out(i, std::move(part));
  }
}

}  // namespace

void add_split_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "Split", infer_split, nullptr, 0b10});
}

}  // namespace coppice::graph::ops
