#include <algorithm>

#include "graph/ops/helpers.hpp"
#include "graph/ops/macs.hpp"
#include "graph/ops/registry.hpp"

namespace coppice::graph::ops {
namespace {

std::int64_t split_heads(std::int64_t extent, std::int64_t heads, std::string_view what) {
  if (extent < 0 || heads < 0) return unknown;
  if (heads == 0 || extent % heads != 0)
    fail(std::string(what) + ": expected a multiple of " + std::to_string(heads) + " heads, found " +
         std::to_string(extent));
  return extent / heads;
}

// An operand as (batch, heads, steps, head size): 4-D as it stands, 3-D (batch, steps, heads * head size).
Shape with_heads(const Fact& fact, std::int64_t heads, std::string_view what) {
  if (!fact.ranked) return {unknown, heads, unknown, unknown};
  const Shape& s = fact.shape;
  if (s.size() == 4) return s;
  return {s[0], heads, s[1], split_heads(s[2], heads, what)};
}

// Operands: query, key, value, mask, past key, past value. Results: output, present key, present value, scores.
void infer_attention(InferContext& c) {
  expect_inputs(c, 3);
  for (std::size_t i = 0; i < 3; ++i) expect_rank(c, i, 3, 4);
  for (std::size_t i = 4; i < 6; ++i) expect_rank(c, i, 4, 4);
  const Node& node = c.node();
  const std::int64_t query_heads = node.int_or("q_num_heads", unknown);
  const std::int64_t shared_heads = node.int_or("kv_num_heads", unknown);
  const Shape q = with_heads(c.in(0), query_heads, "query");
  Shape k = with_heads(c.in(1), shared_heads, "key"), v = with_heads(c.in(2), shared_heads, "value");
  dim_same(q[0], k[0], "batch of the key");
  dim_same(q[3], k[3], "head size of the key");
  k[1] = v[1] = dim_same(k[1], v[1], "heads of the value");
  k[2] = v[2] = dim_same(k[2], v[2], "steps of the value");
  if (k[1] > 0) split_heads(q[1], k[1], "heads of the query");
  if (c.has_input(4)) k[2] = dim_add(k[2], c.in(4).ranked ? c.in(4).shape[2] : unknown);
  if (c.has_input(5)) v[2] = dim_add(v[2], c.in(5).ranked ? c.in(5).shape[2] : unknown);
  const DType dtype = c.in(0).dtype;
  if (c.in(0).ranked)
    c.out(0, Fact::of(dtype,
                      c.in(0).rank() == 4 ? Shape{q[0], q[1], q[2], v[3]} : Shape{q[0], q[2], dim_mul(q[1], v[3])}));
  else
    out_type(c, 0, dtype);
  c.out(1, Fact::of(c.in(1).dtype, k));
  c.out(2, Fact::of(c.in(2).dtype, v));
  c.out(3, Fact::of(dtype, {q[0], q[1], q[2], k[2]}));
}

// Scores and their sum over the values: both multiply a head's row for each pair of steps. All from shapes, since
// counting tries shapes that the head counts of the node have not followed.
double macs_attention(const Node&, const FactList& in, const FactList& out) {
  const Fact &q = fact_at(in, 0), &k = fact_at(in, 1), &y = fact_at(out, 0);
  if (q.rank() < 3 || k.rank() < 3 || y.rank() != q.rank()) return 0;
  const auto width = [](const Fact& f) { return f.rank() == 4 ? extent_at(f, 1) * extent_at(f, 3) : extent_at(f, 2); };
  const double steps = extent_at(k, k.rank() == 4 ? 2 : 1) + extent_at(fact_at(in, 4), 2);
  const double rows = extent_at(q, 0) * extent_at(q, q.rank() == 4 ? 2 : 1);
  return rows * steps * (width(q) + width(y));
}

// (batch, steps, hidden) query and value; packed forms stay unknown.
void infer_multi_head(InferContext& c) {
  const Fact &q = c.in(0), &v = c.in(2);
  if (!q.ranked || !v.ranked || q.rank() != 3 || v.rank() != 3) return out_type(c, 0, q.dtype);
  c.out(0, Fact::of(q.dtype, {q.shape[0], q.shape[1], v.shape[2]}));
  const std::int64_t heads = c.node().int_or("num_heads", 0);
  for (std::size_t i = 1; i < 3 && heads > 0; ++i) {
    const Fact &now = c.in(i), &past = c.in(i + 5);
    if (!now.ranked || now.rank() != 3) continue;
    std::int64_t steps = c.has_input(i + 5) ? unknown : now.shape[1];
    if (past.ranked && past.rank() == 4 && !c.has_input(8)) steps = dim_add(now.shape[1], past.shape[2]);
    c.out(i, Fact::of(q.dtype, {q.shape[0], heads, steps, split_heads(now.shape[2], heads, "hidden size of the key")}));
  }
}

double macs_multi_head(const Node&, const FactList& in, const FactList&) {
  const Fact &q = fact_at(in, 0), &k = fact_at(in, 1), &v = fact_at(in, 2);
  if (q.rank() != 3 || k.rank() != 3 || v.rank() != 3) return 0;
  return extent_at(q, 0) * extent_at(q, 1) * extent_at(k, 1) * (extent_at(q, 2) + extent_at(v, 2));
}

// Query (batch, steps, hidden), or query, key and value packed behind each other; caches hold as many steps as the data
// says.
void infer_grouped_query(InferContext& c) {
  expect_inputs(c, 1);
  const Fact& q = c.in(0);
  expect_rank(c, 0, 3, 3);
  const std::int64_t heads = c.node().int_or("num_heads", unknown), shared = c.node().int_or("kv_num_heads", unknown);
  if (!q.ranked || heads < 1 || shared < 1) return out_type(c, 0, q.dtype);
  const std::int64_t rows = c.has_input(1) ? heads : dim_add(heads, dim_mul(2, shared));
  const std::int64_t size = split_heads(q.shape[2], rows, "hidden size of the query");
  c.out(0, Fact::of(q.dtype, {q.shape[0], q.shape[1], dim_mul(heads, size)}));
  const auto total = c.in(6).int_values();
  const std::int64_t past = !c.has_input(3) ? 0 : c.in(3).rank() == 4 ? c.in(3).shape[2] : unknown;
  const std::int64_t steps = total && total->size() == 1 && past >= 0 ? std::max(past, total->front()) : unknown;
  for (std::size_t i = 1; i < 3; ++i) c.out(i, Fact::of(q.dtype, {q.shape[0], shared, steps, size}));
}

// Query, key and value come out of one projection: (batch, steps, input) and a weight (input, 3 * hidden).
void infer_projected(InferContext& c) {
  expect_inputs(c, 2);
  expect_rank(c, 0, 3, 3);
  expect_rank(c, 1, 2, 2);
  const Fact &x = c.in(0), &w = c.in(1);
  if (!x.ranked) return out_type(c, 0, x.dtype);
  if (w.ranked) dim_same(x.shape[2], w.shape[0], "rows of the weight");
  const auto sizes = c.node().ints("qkv_hidden_sizes");
  std::int64_t hidden = unknown;
  if (sizes.size() == 3)
    hidden = std::max(unknown, sizes[2]);
  else if (w.ranked)
    hidden = split_heads(w.shape[1], 3, "columns of the weight");
  c.out(0, Fact::of(x.dtype, {x.shape[0], x.shape[1], hidden}));
  const std::int64_t heads = c.node().int_or("num_heads", 0);
  if (heads < 1 || (sizes.size() == 3 && sizes[1] != sizes[2])) return;
  // Keys and values that are left for later steps, unless they fill up a buffer of a length of its own.
  std::int64_t steps = c.has_input(4) ? unknown : x.shape[1];
  if (c.in(4).ranked && c.in(4).rank() == 5) steps = dim_add(x.shape[1], c.in(4).shape[3]);
  if (c.node().int_or("past_present_share_buffer", 0) != 0) steps = unknown;
  c.out(1, Fact::of(x.dtype, {2, x.shape[0], heads, steps, split_heads(hidden, heads, "hidden size of the key")}));
}

double macs_projected(const Node&, const FactList& in, const FactList& out) {
  const Fact &x = fact_at(in, 0), &w = fact_at(in, 1), &y = fact_at(out, 0);
  if (x.rank() != 3 || w.rank() != 2 || y.rank() != 3) return 0;
  const double rows = extent_at(x, 0) * extent_at(x, 1);
  const double past = fact_at(in, 4).rank() == 5 ? extent_at(fact_at(in, 4), 3) : 0;
  const double query = (extent_at(w, 1) - extent_at(y, 2)) / 2;
  return rows * volume(w) + rows * (extent_at(x, 1) + past) * (query + extent_at(y, 2));
}

void infer_rotary(InferContext& c) {
  expect_inputs(c, 3);
  expect_rank(c, 0, 3, 4);
  same_as_input(c);
}

}  // namespace

void add_attention_ops(std::vector<OpDef>& defs) {
  defs.push_back({"", "Attention", infer_attention, macs_attention});
  defs.push_back({"", "RotaryEmbedding", infer_rotary});
  defs.push_back({"com.microsoft", "Attention", infer_projected, macs_projected});
  defs.push_back({"com.microsoft", "GroupQueryAttention", infer_grouped_query});
  defs.push_back({"com.microsoft", "MultiHeadAttention", infer_multi_head, macs_multi_head});
  defs.push_back({"com.microsoft", "RotaryEmbedding", infer_rotary});
}

}  // namespace coppice::graph::ops
