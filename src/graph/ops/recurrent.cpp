#include <algorithm>

#include "graph/ops/helpers.hpp"
#include "graph/ops/macs.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

// What is known of a recurrent node, -1 where it is not.
struct Extents {
  std::int64_t steps = unknown, batch = unknown, input = unknown, hidden = unknown, directions = 1;
  bool batch_first = false;
};

Extents read_extents(const InferContext& c) {
  Extents out;
  const Node& node = c.node();
  const std::string direction = node.string_or("direction", "forward");
  if (direction == "bidirectional")
    out.directions = 2;
  else if (direction != "forward" && direction != "reverse")
    fail("direction: expected forward, reverse or bidirectional, found " + direction);
  out.batch_first = node.int_or("layout", 0) != 0;
  out.hidden = node.int_or("hidden_size", unknown);
  expect_rank(c, 0, 3, 3);
  if (c.in(0).ranked) {
    const Shape& x = c.in(0).shape;
    out.steps = x[out.batch_first ? 1 : 0];
    out.batch = x[out.batch_first ? 0 : 1];
    out.input = x[2];
  }
  return out;
}

// `gates` blocks of rows stand on top of each other in W (directions, gates * hidden, input) and R (..., hidden).
void check_weights(const InferContext& c, Extents& e, std::int64_t gates) {
  for (std::size_t i : {1u, 2u}) {
    expect_rank(c, i, 3, 3);
    if (!c.in(i).ranked) continue;
    const Shape& w = c.in(i).shape;
    dim_same(e.directions, w[0], "directions of the weight");
    if (i == 2) e.hidden = dim_same(e.hidden, w[2], "hidden size");
    if (i == 1) dim_same(e.input, w[2], "input size");
    if (e.hidden >= 0) dim_same(dim_mul(e.hidden, gates), w[1], "rows of the weight");
  }
  expect_rank(c, 3, 2, 2);
  if (c.in(3).ranked && e.hidden >= 0) {
    dim_same(e.directions, c.in(3).shape[0], "directions of the bias");
    dim_same(dim_mul(e.hidden, 2 * gates), c.in(3).shape[1], "length of the bias");
  }
}

void check_state(const InferContext& c, std::size_t operand, const Extents& e) {
  expect_rank(c, operand, 3, 3);
  if (!c.in(operand).ranked) return;
  const Shape& state = c.in(operand).shape;
  dim_same(e.batch_first ? e.batch : e.directions, state[0], "extent 0 of the initial state");
  dim_same(e.batch_first ? e.directions : e.batch, state[1], "extent 1 of the initial state");
  dim_same(e.hidden, state[2], "hidden size of the initial state");
}

void set_outputs(InferContext& c, const Extents& e) {
  const DType dtype = c.in(0).dtype;
  const Shape state = e.batch_first ? Shape{e.batch, e.directions, e.hidden} : Shape{e.directions, e.batch, e.hidden};
  c.out(0, Fact::of(dtype, e.batch_first ? Shape{e.batch, e.steps, e.directions, e.hidden}
                                         : Shape{e.steps, e.directions, e.batch, e.hidden}));
  for (std::size_t i = 1; i < c.output_count(); ++i) c.out(i, Fact::of(dtype, state));
}

template <std::int64_t gates, std::size_t states>
void infer_recurrent(InferContext& c) {
  expect_inputs(c, 3);
  Extents e = read_extents(c);
  check_weights(c, e, gates);
  for (std::size_t i = 0; i < states; ++i) check_state(c, 5 + i, e);
  set_outputs(c, e);
}

// Its weights are transposed and quantised; the sizes come from the attribute.
void infer_dynamic_quantize_lstm(InferContext& c) {
  expect_inputs(c, 3);
  set_outputs(c, read_extents(c));
}

// Every element of W and R of each direction works once a step and sample.
double macs_recurrent(const Node&, const FactList& in, const FactList&) {
  const Fact& x = fact_at(in, 0);
  return extent_at(x, 0) * extent_at(x, 1) * (volume(fact_at(in, 1)) + volume(fact_at(in, 2)));
}

}  // namespace

void add_recurrent_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "GRU", infer_recurrent<3, 1>, macs_recurrent});
  defs.push_back({"", "LSTM", infer_recurrent<4, 2>, macs_recurrent});
  defs.push_back({"", "RNN", infer_recurrent<1, 1>, macs_recurrent});
  defs.push_back({"com.microsoft", "DynamicQuantizeLSTM", infer_dynamic_quantize_lstm, macs_recurrent});
}

}  // namespace coppice::graph::ops
