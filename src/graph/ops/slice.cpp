#include <algorithm>

#include "graph/ops/content.hpp"
#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

using Bound = std::optional<std::int64_t>;

// One list of Slice: an attribute before operator set 10, an operand after; elements may be unknown one by one.
struct Bounds {
  bool present = false;
  std::optional<std::vector<Bound>> values;  ///< Nothing when even their number is unknown.
};

Bounds bounds(const InferContext& c, std::string_view name, std::size_t input) {
  if (c.opset() < 10 && c.node().has(name)) {
    const auto values = c.node().ints(name);
    return {true, std::vector<Bound>(values.begin(), values.end())};
  }
  if (!c.has_input(input)) return {};
  return {true, extent_list(c.in(input))};
}

struct Range {
  std::int64_t start = 0, step = 1, count = unknown;
};

// The rule of ONNX Slice: negative bounds count from the end, then all are clamped to the axis.
Range range_of(std::int64_t extent, std::int64_t start, std::int64_t end, std::int64_t step) {
  const auto from_end = [&](std::int64_t bound) { return bound < 0 ? bound + extent : bound; };
  const std::int64_t last = step > 0 ? extent : extent - 1, lowest_end = step > 0 ? 0 : -1;
  start = std::clamp<std::int64_t>(from_end(start), 0, std::max<std::int64_t>(last, 0));
  end = std::clamp<std::int64_t>(from_end(end), lowest_end, std::max(last, lowest_end));
  if (extent == 0 || (step > 0 ? end <= start : end >= start)) return {0, step, 0};
  const std::int64_t distance = step > 0 ? end - start - 1 : start - end - 1;
  const std::int64_t size = step == INT64_MIN ? INT64_MAX : std::abs(step);
  return {start, step, distance / size + 1};
}

bool whole_axis(const Bound& start, const Bound& end, const Bound& step) {
  return start == 0 && step == 1 && end && *end >= INT32_MAX;
}

void infer_slice(InferContext& c) {
  const Fact& data = c.in(0);
  expect_rank(c, 0, 1, SIZE_MAX);
  if (!data.ranked) return out_type(c, 0, data.dtype);
  const Bounds starts = bounds(c, "starts", 1), ends = bounds(c, "ends", 2);
  const Bounds axes = bounds(c, "axes", 3), steps = bounds(c, "steps", 4);
  if (!starts.present || !ends.present) fail("expected starts and ends");
  std::optional<std::vector<Bound>> list = axes.values;
  if (!axes.present && (starts.values || ends.values)) {
    list.emplace((starts.values ? starts : ends).values->size());
    for (std::size_t i = 0; i < list->size(); ++i) (*list)[i] = static_cast<std::int64_t>(i);
  }
  const bool all_axes_known =
      list && std::all_of(list->begin(), list->end(), [](const Bound& axis) { return axis.has_value(); });
  if (!all_axes_known) return c.out(0, Fact::of(data.dtype, Shape(data.rank(), unknown)));
  std::vector<std::int64_t> wanted;
  for (const Bound& axis : *list) wanted.push_back(*axis);
  const auto normal = axes_of(wanted, data.rank());
  for (const Bounds* b : {&starts, &ends, &steps})
    if (b->values && b->values->size() != normal.size())
      fail("expected " + std::to_string(normal.size()) + " bounds, found " + std::to_string(b->values->size()));
  std::vector<Range> ranges(data.rank());
  for (std::size_t d = 0; d < data.rank(); ++d) ranges[d].count = data.shape[d];
  for (std::size_t i = 0; i < normal.size(); ++i) {
    const auto get = [&](const Bounds& b) { return b.values ? (*b.values)[i] : std::nullopt; };
    const Bound start = get(starts), end = get(ends), step = steps.present ? get(steps) : Bound(1);
    if (step == 0) fail("expected a step other than 0");
    Range& range = ranges[normal[i]];
    const std::int64_t extent = data.shape[normal[i]];
    if (whole_axis(start, end, step)) continue;
    range = start && end && step && extent >= 0 ? range_of(extent, *start, *end, *step) : Range{0, 1, unknown};
  }
  Shape shape;
  for (const Range& range : ranges) shape.push_back(range.count);
  Fact out = Fact::of(data.dtype, std::move(shape));
  if (data.content && size_of(*data.content) > 0 && data.complete() && out.complete()) {
    auto strides = strides_of(data.shape);
    std::int64_t offset = 0;
    for (std::size_t d = 0; d < strides.size(); ++d) {
      offset += ranges[d].start * strides[d];
      strides[d] = out.shape[d] > 1 ? strides[d] * ranges[d].step : 0;
    }
    out.content = pick_strided(*data.content, offset, out.shape, strides);
  }
  c.out(0, std::move(out));
}

}  // namespace

void add_slice_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "Slice", infer_slice, nullptr, 0b11110});
}

}  // namespace coppice::graph::ops
