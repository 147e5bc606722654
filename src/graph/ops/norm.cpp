#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

void expect_length(const InferContext& c, std::size_t operand, std::int64_t length, std::string_view what) {
  const Fact& fact = c.in(operand);
  if (!fact.ranked) return;
  expect_rank(c, operand, 1, 1);
  dim_same(length, fact.shape[0], what);
}

std::int64_t channels_of(const Fact& x) {
  if (!x.ranked) return unknown;
  return x.rank() > 1 ? x.shape[1] : 1;
}

void infer_batch_norm(InferContext& c) {
  expect_inputs(c, 5);
  const bool per_channel = c.node().int_or("spatial", 1) != 0;
  std::int64_t channels = channels_of(c.in(0));
  if (per_channel) {
    for (std::size_t i = 1; i < 5; ++i) {
      expect_length(c, i, channels, "length of a batch norm parameter");
      if (channels < 0 && c.in(i).ranked) channels = c.in(i).shape[0];
    }
  }
  same_as_input(c);
  for (std::size_t i = 1; i < c.output_count(); ++i) {
    // Outputs 3 and 4 of older operator sets repeat the mean and the variance.
    const Fact& statistic = c.in(i % 2 == 1 ? 3 : 4);
    c.out(i, {statistic.dtype, statistic.ranked, statistic.shape, nullptr});
  }
}

void infer_instance_norm(InferContext& c) {
  expect_inputs(c, 3);
  expect_rank(c, 0, 2, 32);
  for (std::size_t i = 1; i < 3; ++i) expect_length(c, i, channels_of(c.in(0)), "length of a norm parameter");
  same_as_input(c);
}

// One scale for each channel, or (operator sets 18 to 20) for each group.
void infer_group_norm(InferContext& c) {
  expect_inputs(c, 3);
  const Fact& x = c.in(0);
  const std::int64_t groups = c.node().int_or("num_groups", 1);
  if (groups < 1) fail("num_groups: expected at least 1, found " + std::to_string(groups));
  const std::int64_t channels = channels_of(x);
  if (channels >= 0 && channels % groups != 0)
    fail("channels: expected a multiple of num_groups " + std::to_string(groups) + ", found " +
         std::to_string(channels));
  const std::int64_t length = c.opset() < 21 ? groups : channels;
  for (std::size_t i = 1; i < 3; ++i) expect_length(c, i, length, "length of a norm parameter");
  same_as_input(c);
}

// The channels of NhwcGroupNorm-like contrib operators stand last or second; their shape passes through either way.
void infer_layer_norm(InferContext& c) {
  expect_inputs(c, 1);
  same_as_input(c);
  const Fact& x = c.in(0);
  const auto stash = dtype_attribute(c, "stash_type", DType::float32);
  if (!x.ranked) {
    for (std::size_t i = 1; i < c.output_count(); ++i) out_type(c, i, stash);
    return;
  }
  if (x.rank() == 0) fail("expected an operand of rank at least 1, found a scalar");
  const std::size_t axis = axis_of(c.node().int_or("axis", -1), x.rank());
  const Shape tail(x.shape.begin() + static_cast<std::ptrdiff_t>(axis), x.shape.end());
  for (std::size_t i = 1; i < c.input_count(); ++i) {
    const Fact& parameter = c.in(i);
    if (!parameter.ranked) continue;
    const Shape both = broadcast(x.shape, parameter.shape);
    if (both.size() != x.rank() || dim_product(both) != dim_product(x.shape))
      fail("norm parameter: expected " + show(tail) + ", found " + show(parameter.shape));
  }
  Shape statistics = x.shape;
  for (std::size_t i = axis; i < statistics.size(); ++i) statistics[i] = 1;
  for (std::size_t i = 1; i < c.output_count(); ++i) c.out(i, Fact::of(stash, statistics));
}

// Outputs: result, mean, inverse deviation, sum of the two inputs. The statistics keep leading axes.
void infer_skip_layer_norm(InferContext& c) {
  expect_inputs(c, 3);
  const Fact& x = c.in(0);
  same_as_input(c);
  c.out(3, {x.dtype, x.ranked, x.shape, nullptr});
  if (!x.ranked || x.rank() == 0) return;
  expect_length(c, 2, x.shape.back(), "length of gamma");
  Shape statistics = x.shape;
  statistics.back() = 1;
  for (std::size_t i = 1; i < 3; ++i) c.out(i, Fact::of(DType::float32, statistics));
}

void infer_pass(InferContext& c) {
  expect_inputs(c, 1);
  same_as_input(c);
}

void infer_lrn(InferContext& c) {
  expect_inputs(c, 1);
  if (c.node().int_or("size", 1) < 1) fail("size: expected at least 1");
  same_as_input(c);
}

}  // namespace

void add_norm_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "BatchNormalization", infer_batch_norm});
  defs.push_back({"", "GroupNormalization", infer_group_norm});
  defs.push_back({"", "InstanceNormalization", infer_instance_norm});
  defs.push_back({"", "LRN", infer_lrn});
  defs.push_back({"", "LayerNormalization", infer_layer_norm});
  defs.push_back({"", "LpNormalization", infer_pass});
  defs.push_back({"", "MeanVarianceNormalization", infer_pass});
  defs.push_back({"", "RMSNormalization", infer_layer_norm});
  defs.push_back({"", "SimplifiedLayerNormalization", infer_layer_norm});
  defs.push_back({"com.microsoft", "SimplifiedLayerNormalization", infer_layer_norm});
  defs.push_back({"com.microsoft", "SkipLayerNormalization", infer_skip_layer_norm});
  defs.push_back({"com.microsoft", "SkipSimplifiedLayerNormalization", infer_skip_layer_norm});
}

}  // namespace coppice::graph::ops
