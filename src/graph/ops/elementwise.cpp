// Operators whose output has the shape of the first operand and whose elements are not followed.
#include "graph/ops/helpers.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

void infer_predicate(InferContext& c) {
  const Fact& in = c.in(0);
  c.out(0, {DType::boolean, in.ranked, in.shape, nullptr});
}

void infer_prelu(InferContext& c) {
  expect_inputs(c, 2);
  const Fact &x = c.in(0), &slope = c.in(1);
  // Up to operator set 6 a slope had one number a channel and did not broadcast.
  if (c.opset() >= 7 && x.ranked && slope.ranked) {
    const Shape both = broadcast(x.shape, slope.shape);
    if (both.size() != x.rank())
      fail("expected a slope that broadcasts to " + show(x.shape) + ", found " + show(slope.shape));
    for (std::size_t i = 0; i < both.size(); ++i) dim_same(x.shape[i], both[i], "slope's extent");
  }
  same_as_input(c);
}

// Before operator set 10 the mask has the type of the data.
void infer_dropout(InferContext& c) {
  const Fact in = c.in(0);
  c.out(0, in);
  c.out(1, {c.opset() < 10 ? in.dtype : DType::boolean, in.ranked, in.shape, nullptr});
}

void infer_along_axis(InferContext& c, std::int64_t fallback) {
  const Fact& in = c.in(0);
  const std::int64_t axis = c.node().int_or("axis", fallback);
  // Before operator set 13 the axis may equal the rank.
  const bool past_end = c.opset() < 13 && in.ranked && axis == static_cast<std::int64_t>(in.rank());
  if (in.ranked && in.rank() > 0 && !past_end) axis_of(axis, in.rank());
  same_as_input(c);
}

void infer_softmax(InferContext& c) {
  infer_along_axis(c, c.opset() < 13 ? 1 : -1);
}

void infer_reverse_sequence(InferContext& c) {
  expect_inputs(c, 2);
  const Fact &x = c.in(0), &lengths = c.in(1);
  expect_rank(c, 0, 2, SIZE_MAX);
  expect_rank(c, 1, 1, 1);
  if (x.ranked && lengths.ranked) {
    const std::size_t batch = axis_of(c.node().int_or("batch_axis", 1), x.rank());
    axis_of(c.node().int_or("time_axis", 0), x.rank());
    dim_same(x.shape[batch], lengths.shape[0], "sequence_lens");
  }
  same_as_input(c);
}

}  // namespace

void add_elementwise_ops(std::vector<OpDef>& defs) {
  for (std::string_view op :
       {"Acos",    "Acosh", "Asin", "Asinh",       "Atan",      "Atanh",     "Celu", "Cos",  "Cosh",
        "Elu",     "Erf",   "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu", "Mish", "Selu", "Shrink",
        "Sigmoid", "Sin",   "Sinh", "Softplus",    "Softsign",  "Swish",     "Tan",  "Tanh", "ThresholdedRelu"})
    defs.push_back({"", op, same_as_input});
  for (std::string_view op : {"Softmax", "LogSoftmax", "Hardmax"}) defs.push_back({"", op, infer_softmax});
  for (std::string_view op : {"IsNaN", "IsInf"}) defs.push_back({"", op, infer_predicate});
  defs.push_back({"", "PRelu", infer_prelu});
  defs.push_back({"", "Dropout", infer_dropout});
  defs.push_back({"", "ReverseSequence", infer_reverse_sequence, nullptr, 0b10});
}

}  // namespace coppice::graph::ops
