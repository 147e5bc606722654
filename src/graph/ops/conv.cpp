#include <algorithm>

#include "graph/ops/helpers.hpp"
#include "graph/ops/macs.hpp"
#include "graph/ops/registry.hpp"
#include "graph/ops/window.hpp"

namespace coppice::graph::ops {
namespace {

// Positions of the operands and the type of the output; the convolutions differ in nothing else.
struct Layout {
  std::size_t x = 0, w = 1, bias = 2;
  DType out = DType::undefined;
};

std::int64_t read_group(const Node& node) {
  const std::int64_t group = node.int_or("group", 1);
  if (group < 1) fail("group: expected at least 1, found " + std::to_string(group));
  return group;
}

void expect_divisible(std::int64_t extent, std::int64_t group, std::string_view what) {
  if (extent >= 0 && extent % group != 0)
    fail(std::string(what) + ": expected a multiple of group " + std::to_string(group) + ", found " +
         std::to_string(extent));
}

std::span<const std::int64_t> kernel_of(const Fact& w) {
  if (!w.ranked) return {};
  return std::span<const std::int64_t>(w.shape).subspan(2);
}

// The image's shape with channels on axis 1, or nothing when its rank is unknown.
std::optional<Shape> image(const InferContext& c, std::size_t operand, bool channels_last) {
  expect_rank(c, operand, 3, 32);
  const Fact& x = c.in(operand);
  if (!x.ranked) return std::nullopt;
  Shape shape = x.shape;
  if (channels_last) std::rotate(shape.begin() + 1, shape.end() - 1, shape.end());
  return shape;
}

void expect_same_rank(const Fact& x, const Fact& w) {
  if (x.ranked && w.ranked && x.rank() != w.rank())
    fail("expected a weight of rank " + std::to_string(x.rank()) + ", found " + show(w.shape));
}

void check_bias(const InferContext& c, std::size_t operand, std::int64_t channels) {
  expect_rank(c, operand, 1, 1);
  if (c.in(operand).ranked) dim_same(channels, c.in(operand).shape[0], "length of the bias");
}

void infer_convolution(InferContext& c, const Layout& at) {
  expect_inputs(c, at.w + 1);
  const Node& node = c.node();
  const bool channels_last = node.int_or("channels_last", 0) != 0;
  const DType dtype = at.out == DType::undefined ? c.in(at.x).dtype : at.out;
  const Fact& w = c.in(at.w);
  expect_rank(c, at.w, 3, 32);
  const std::int64_t group = read_group(node);
  const std::int64_t channels = w.ranked ? w.shape[0] : unknown;
  expect_divisible(channels, group, "output channels");
  check_bias(c, at.bias, channels);
  auto shape = image(c, at.x, channels_last);
  if (!shape) return out_type(c, 0, dtype);
  expect_same_rank(c.in(at.x), w);
  if (w.ranked) dim_same(dim_mul(w.shape[1], group), (*shape)[1], "input channels");
  (*shape)[1] = channels;
  const Window window = read_window(node, shape->size() - 2, kernel_of(w));
  for (std::size_t i = 0; i < window.rank(); ++i) (*shape)[i + 2] = window_extent(window, i, (*shape)[i + 2]);
  if (channels_last) std::rotate(shape->begin() + 1, shape->begin() + 2, shape->end());
  c.out(0, Fact::of(dtype, std::move(*shape)));
}

void infer_conv(InferContext& c) {
  infer_convolution(c, {});
}

void infer_deform_conv(InferContext& c) {
  infer_convolution(c, {.x = 0, .w = 1, .bias = 3});
}

void infer_conv_integer(InferContext& c) {
  infer_convolution(c, {.x = 0, .w = 1, .bias = SIZE_MAX, .out = DType::int32});
}

void infer_qlinear_conv(InferContext& c) {
  infer_convolution(c, {.x = 0, .w = 3, .bias = 8, .out = c.in(7).dtype});
}

void infer_conv_transpose(InferContext& c) {
  expect_inputs(c, 2);
  const Node& node = c.node();
  const Fact& w = c.in(1);
  expect_rank(c, 1, 3, 32);
  const std::int64_t group = read_group(node);
  const std::int64_t channels = w.ranked ? dim_mul(w.shape[1], group) : unknown;
  check_bias(c, 2, channels);
  auto shape = image(c, 0, false);
  if (!shape) return out_type(c, 0, c.in(0).dtype);
  expect_same_rank(c.in(0), w);
  expect_divisible((*shape)[1], group, "input channels");
  if (w.ranked) dim_same(w.shape[0], (*shape)[1], "input channels");
  (*shape)[1] = channels;
  const std::size_t spatial = shape->size() - 2;
  const Window window = read_window(node, spatial, kernel_of(w));
  auto wanted = node.ints("output_shape");
  if (wanted.size() == spatial + 2) wanted = wanted.subspan(2);  // some exporters list batch and channels as well
  if (!wanted.empty() && wanted.size() != spatial)
    fail("output_shape: expected " + std::to_string(spatial) + " numbers, found " + std::to_string(wanted.size()));
  const auto padding = per_axis(node, "output_padding", spatial, 0, 0);
  for (std::size_t i = 0; i < spatial; ++i)
    (*shape)[i + 2] = wanted.empty() ? transposed_extent(window, i, (*shape)[i + 2], padding[i]) : wanted[i];
  if (std::any_of(wanted.begin(), wanted.end(), [](std::int64_t extent) { return extent < 0; }))
    fail("output_shape: expected extents of at least 0");
  c.out(0, Fact::of(c.in(0).dtype, std::move(*shape)));
}

template <std::size_t weight>
double macs_conv(const Node&, const FactList& in, const FactList& out) {
  return volume(fact_at(out, 0)) * volume(fact_at(in, weight), 1);
}

double macs_conv_transpose(const Node&, const FactList& in, const FactList&) {
  return volume(fact_at(in, 0)) * volume(fact_at(in, 1), 1);
}

}  // namespace

void add_conv_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "Conv", infer_conv, macs_conv<1>});
  defs.push_back({"", "ConvInteger", infer_conv_integer, macs_conv<1>});
  defs.push_back({"", "ConvTranspose", infer_conv_transpose, macs_conv_transpose});
  defs.push_back({"", "DeformConv", infer_deform_conv, macs_conv<1>});
  defs.push_back({"", "QLinearConv", infer_qlinear_conv, macs_conv<3>});
  defs.push_back({"com.microsoft", "FusedConv", infer_conv, macs_conv<1>});
  defs.push_back({"com.microsoft", "QLinearConv", infer_qlinear_conv, macs_conv<3>});
}

}  // namespace coppice::graph::ops
