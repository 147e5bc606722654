#include <algorithm>
#include <cmath>
#include <type_traits>

#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

// Sizes are computed in 32-bit floats, as runtimes do it, so that 0.3f * 10 gives the extent that the model has.
std::int64_t to_extent(float value) {
  if (!(value >= 0.0f) || value > 9.0e15f) fail("scale: expected a positive number, found one that gives no extent");
  return static_cast<std::int64_t>(value);
}

std::int64_t scaled(std::int64_t extent, std::optional<float> scale) {
  if (extent < 0 || !scale) return unknown;
  if (!(*scale > 0.0f)) fail("scale: expected a positive number, found " + std::to_string(*scale));
  return to_extent(std::floor(static_cast<float>(extent) * *scale));
}

// One entry an element, empty where it is not known; nothing when the operand's length is not known or is 0.
template <class T>
std::vector<std::optional<T>> elements(const InferContext& c, std::size_t operand) {
  const Fact& fact = c.in(operand);
  if (!fact.ranked || fact.rank() != 1 || fact.shape[0] <= 0) return {};
  const auto count = static_cast<std::size_t>(std::min<std::int64_t>(fact.shape[0], 64));
  std::vector<std::optional<T>> out(count);
  if (!fact.content) return out;
  for (std::size_t i = 0; i < count; ++i) {
    if (!fact.content->known(i)) continue;
    if constexpr (std::is_floating_point_v<T>)
      if (i < fact.content->reals.size()) out[i] = static_cast<T>(fact.content->reals[i]);
    if (i < fact.content->ints.size()) out[i] = static_cast<T>(fact.content->ints[i]);
  }
  return out;
}

std::vector<std::size_t> resized_axes(const InferContext& c, std::size_t rank) {
  const auto given = c.node().ints("axes");
  if (!given.empty()) return axes_of(given, rank);
  std::vector<std::size_t> out(rank);
  for (std::size_t i = 0; i < rank; ++i) out[i] = i;
  return out;
}

void expect_count(std::size_t expected, std::size_t found, std::string_view what) {
  if (expected != found)
    fail(std::string(what) + ": expected " + std::to_string(expected) + " numbers, found " + std::to_string(found));
}

void apply_sizes(const InferContext& c, Shape& shape, const std::vector<std::size_t>& axes,
                 const std::vector<std::optional<std::int64_t>>& sizes) {
  expect_count(axes.size(), sizes.size(), "sizes");
  const std::string policy = c.node().string_or("keep_aspect_ratio_policy", "stretch");
  if (policy == "stretch") {
    for (std::size_t i = 0; i < axes.size(); ++i) shape[axes[i]] = std::max(unknown, sizes[i].value_or(unknown));
    return;
  }
  const bool larger = policy == "not_smaller";
  if (!larger && policy != "not_larger") fail("keep_aspect_ratio_policy: found " + policy);
  std::optional<float> scale;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (!sizes[i] || shape[axes[i]] <= 0) {
      for (std::size_t axis : axes) shape[axis] = unknown;
      return;
    }
    const float ratio = static_cast<float>(*sizes[i]) / static_cast<float>(shape[axes[i]]);
    if (!scale || (larger ? ratio > *scale : ratio < *scale)) scale = ratio;
  }
  for (std::size_t axis : axes) shape[axis] = to_extent(std::round(static_cast<float>(shape[axis]) * *scale));
}

void apply_scales(Shape& shape, const std::vector<std::size_t>& axes, const std::vector<std::optional<float>>& scales) {
  expect_count(axes.size(), scales.size(), "scales");
  for (std::size_t i = 0; i < axes.size(); ++i) shape[axes[i]] = scaled(shape[axes[i]], scales[i]);
}

void infer_resize(InferContext& c) {
  expect_inputs(c, 2);
  const Fact& x = c.in(0);
  if (!x.ranked) return out_type(c, 0, x.dtype);
  Shape shape = x.shape;
  const auto axes = resized_axes(c, shape.size());
  const auto scales = elements<float>(c, c.opset() < 11 ? 1 : 2);
  const auto sizes = elements<std::int64_t>(c, 3);
  if (!sizes.empty())
    apply_sizes(c, shape, axes, sizes);
  else if (!scales.empty())
    apply_scales(shape, axes, scales);
  else
    for (std::size_t axis : axes) shape[axis] = unknown;
  c.out(0, Fact::of(x.dtype, std::move(shape)));
}

void infer_upsample(InferContext& c) {
  expect_inputs(c, 1);
  const Fact& x = c.in(0);
  if (!x.ranked) return out_type(c, 0, x.dtype);
  Shape shape = x.shape;
  const auto axes = resized_axes(c, shape.size());
  const Attribute* attribute = c.node().find("scales");
  const auto* given = attribute ? std::get_if<std::vector<float>>(&attribute->value) : nullptr;
  if (given) {
    apply_scales(shape, axes, {given->begin(), given->end()});
  } else if (c.has_input(1)) {
    const auto scales = elements<float>(c, 1);
    if (scales.empty())
      std::fill(shape.begin(), shape.end(), unknown);
    else
      apply_scales(shape, axes, scales);
  } else {
    expect_rank(c, 0, 4, 4);
    shape[2] = scaled(shape[2], c.node().float_or("height_scale", 1.0f));
    shape[3] = scaled(shape[3], c.node().float_or("width_scale", 1.0f));
  }
  c.out(0, Fact::of(x.dtype, std::move(shape)));
}

}  // namespace

void add_resize_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "Resize", infer_resize, nullptr, 1u << 1 | 1u << 2 | 1u << 3});
  defs.push_back({"", "Upsample", infer_upsample, nullptr, 1u << 1});
}

}  // namespace coppice::graph::ops
