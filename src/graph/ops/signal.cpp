#include <algorithm>

#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

// Bins of a one-sided spectrum.
std::int64_t half_spectrum(std::int64_t length) {
  return length < 0 ? unknown : length / 2 + 1;
}

std::int64_t positive(const InferContext& c, std::size_t operand, std::string_view what) {
  const auto value = int_operand(c, operand);
  if (value && *value < 1) fail(std::string(what) + ": expected at least 1, found " + std::to_string(*value));
  return value.value_or(unknown);
}

// The axis is an attribute up to operator set 19, an operand (default -2) from 20 on. The last axis holds 1 (real) or 2
// (complex) numbers.
void infer_dft(InferContext& c) {
  expect_inputs(c, 1);
  expect_rank(c, 0, 2, 32);
  const Fact& x = c.in(0);
  if (!x.ranked) return out_type(c, 0, x.dtype);
  const bool one_sided = c.node().int_or("onesided", 0) != 0, inverse = c.node().int_or("inverse", 0) != 0;
  Shape out = x.shape;
  std::optional<std::int64_t> wanted;
  if (c.opset() < 20)
    wanted = c.node().int_or("axis", 1);
  else
    wanted = c.has_input(2) ? int_operand(c, 2) : -2;
  if (!wanted) {
    std::fill(out.begin(), out.end(), unknown);
  } else {
    const std::size_t axis = axis_of(*wanted, out.size());
    if (axis + 1 == out.size()) fail("axis: expected one in front of the complex numbers, found the last");
    if (c.has_input(1)) out[axis] = positive(c, 1, "dft_length");
    if (one_sided) out[axis] = inverse ? unknown : half_spectrum(out[axis]);
  }
  out.back() = one_sided && inverse ? unknown : 2;
  c.out(0, Fact::of(x.dtype, std::move(out)));
}

// (batch, length, 1 or 2) gives (batch, frames, bins, 2).
void infer_stft(InferContext& c) {
  expect_inputs(c, 2);
  expect_rank(c, 0, 2, 3);
  expect_rank(c, 2, 1, 1);
  const Fact& x = c.in(0);
  const std::int64_t step = positive(c, 1, "frame_step");
  std::int64_t length = c.has_input(3) ? positive(c, 3, "frame_length") : unknown;
  if (c.in(2).ranked) length = dim_same(length, c.in(2).shape[0], "length of the window");
  Shape out{unknown, unknown, c.node().int_or("onesided", 1) != 0 ? half_spectrum(length) : length, 2};
  if (x.ranked) {
    out[0] = x.shape[0];
    if (x.shape[1] >= 0 && length >= 0 && step > 0) {
      if (x.shape[1] < length)
        fail("signal: expected at least a frame of " + std::to_string(length) + ", found " +
             std::to_string(x.shape[1]));
      out[1] = (x.shape[1] - length) / step + 1;
    }
  }
  c.out(0, Fact::of(x.dtype, std::move(out)));
}

void infer_mel_weights(InferContext& c) {
  expect_inputs(c, 2);
  c.out(0, Fact::of(dtype_attribute(c, "output_datatype", DType::float32),
                    {half_spectrum(positive(c, 1, "dft_length")), positive(c, 0, "num_mel_bins")}));
}

void infer_window(InferContext& c) {
  expect_inputs(c, 1);
  const auto size = int_operand(c, 0);
  if (size && *size < 0) fail("size: expected at least 0, found " + std::to_string(*size));
  c.out(0, Fact::of(dtype_attribute(c, "output_datatype", DType::float32), {size.value_or(unknown)}));
}

}  // namespace

void add_signal_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "BlackmanWindow", infer_window, nullptr, 1u});
  defs.push_back({"", "DFT", infer_dft, nullptr, 1u << 1 | 1u << 2});
  defs.push_back({"", "HammingWindow", infer_window, nullptr, 1u});
  defs.push_back({"", "HannWindow", infer_window, nullptr, 1u});
  defs.push_back({"", "MelWeightMatrix", infer_mel_weights, nullptr, 1u << 0 | 1u << 1});
  defs.push_back({"", "STFT", infer_stft, nullptr, 1u << 1 | 1u << 3});
}

}  // namespace coppice::graph::ops
