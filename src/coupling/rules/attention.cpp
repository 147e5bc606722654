#include "coupling/rules/rules.hpp"

// Fused attention. A hidden axis is a grid of heads by head size, as if it had been reshaped; query heads are a grid of
// key heads by the queries that share one.
namespace coppice::coupling {
namespace {

using Parts = std::vector<Axis>;

Parts apart(RuleContext& c, const Axis& axis, const std::vector<std::int64_t>& lengths) {
  return c.state().reshape({&axis, 1}, lengths, c.index());
}

Axis joined(RuleContext& c, const Parts& parts) {
  std::int64_t length = 1;
  for (const Axis& part : parts) length *= part.length;
  return c.state().reshape(parts, std::vector<std::int64_t>{length}, c.index())[0];
}

void lock_rest(RuleContext& c, std::size_t first) {
  for (std::size_t i = first; i < c.node().inputs.size(); ++i)
    if (c.has(i)) c.lock_from(i, 0, Reason::fixed_axis);
}

/// Number of key heads and of query heads that share one; {0, 0} when they make no sense.
struct Heads {
  std::int64_t shared = 0, each = 0;
};

Heads heads_of(std::int64_t query, std::int64_t shared) {
  if (query < 1 || shared < 1 || query % shared != 0) return {};
  return {shared, query / shared};
}

// An operand (batch, heads, steps, size) or (batch, steps, heads * size) as its heads, by the given lengths, and size.
Parts hidden(RuleContext& c, std::size_t i, std::vector<std::int64_t> heads) {
  if (c.rank(i) == 4) {
    Parts out = apart(c, c.axis(i, 1), heads);
    out.push_back(c.axis(i, 3));
    return out;
  }
  std::int64_t all = 1;
  for (std::int64_t h : heads) all *= h;
  if (c.rank(i) != 3 || c.shape(i)[2] % all != 0) throw Error("expected heads of equal size");
  heads.push_back(c.shape(i)[2] / all);
  return apart(c, c.axis(i, 2), heads);
}

std::size_t time_axis(RuleContext& c, std::size_t i) {
  return c.rank(i) == 4 ? 2 : 1;
}

// Query [shared, each, size], key and value [shared, size]: the heads go together, query and key are contracted over
// their size. Returns the parts of a row of the result.
Parts tie_heads(RuleContext& c, const Parts& query, const Parts& key, const Parts& value) {
  const Axis head = c.meet(c.meet(query[0], key[0]), value[0]);
  const Axis size = c.meet(query[2], key[1]);
  if (head.tracked()) c.state().flag(head, State::batch);
  if (head.length == 1 && query[1].tracked()) c.state().flag(query[1], State::batch);
  if (size.tracked()) c.state().flag(size, State::avoid);
  return {head, query[1], value[1]};
}

// Something that is added to the scores, broadcast to (batch, query heads, steps, steps).
void add_to_scores(RuleContext& c, std::size_t i, const Axis& heads) {
  if (!c.has(i)) return;
  for (std::size_t k = 0; k < c.rank(i); ++k) {
    if (k + 3 == c.rank(i) && c.shape(i)[k] == heads.length && heads.length > 1)
      c.meet(heads, c.axis(i, k));
    else
      c.lock(i, k, Reason::normalised_axis);
  }
}

// What earlier steps left, (batch, heads, steps, size), and what is left for later ones.
void cache(RuleContext& c, std::size_t past, std::size_t present, const Axis& batch, Axis head, Axis size) {
  if (c.has(past)) {
    if (c.rank(past) != 4) throw Error("expected a cache of rank 4");
    c.meet(batch, c.axis(past, 0));
    head = c.meet(head, c.axis(past, 1));
    size = c.meet(size, c.axis(past, 3));
    c.lock(past, 2, Reason::normalised_axis);
  }
  if (!c.has_output(present) || c.out_rank(present) != 4) return;
  c.set(present, 0, batch);
  c.set(present, 1, head);
  c.set(present, 3, size);
}

struct Places {
  std::size_t past_key, past_value, scores_bias;
};

// Returns the axis of all query heads.
Axis attend(RuleContext& c, const Heads& heads, const Places& at) {
  const Parts query = hidden(c, 0, {heads.shared, heads.each});
  const Parts key = hidden(c, 1, {heads.shared}), value = hidden(c, 2, {heads.shared});
  for (std::size_t i = 0; i < 3; ++i) c.lock(i, time_axis(c, i), Reason::normalised_axis);
  const Axis batch = c.meet(c.meet(c.axis(0, 0), c.axis(1, 0)), c.axis(2, 0));
  const Parts row = tie_heads(c, query, key, value);
  c.mix_groups(0, c.rank(0) - 1, 1, c.rank(1) - 1);
  const Axis all_heads = joined(c, {row[0], row[1]});
  add_to_scores(c, at.scores_bias, all_heads);
  cache(c, at.past_key, 1, batch, row[0], key[1]);
  cache(c, at.past_value, 2, batch, row[0], value[1]);
  c.set(0, 0, batch);
  if (c.rank(0) == 4) {
    c.set(0, 1, all_heads);
    c.set(0, 3, row[2]);
  } else {
    c.set(0, 2, joined(c, row));
  }
  return all_heads;
}

void attention(RuleContext& c) {
  const std::int64_t query = c.rank(0) == 4 ? c.shape(0)[1] : c.node().int_or("q_num_heads", 0);
  const std::int64_t shared = c.rank(1) == 4 ? c.shape(1)[1] : c.node().int_or("kv_num_heads", 0);
  const Heads heads = heads_of(query, shared);
  if (heads.shared == 0) return c.lock_all(Reason::unknown_shape);
  const Axis all_heads = attend(c, heads, {4, 5, 3});
  lock_rest(c, 6);
  if (c.has_output(3) && c.out_rank(3) == 4) c.set(3, 1, all_heads);
}

// Separate query, key and value, each (batch, steps, hidden); packed forms lock.
void multi_head(RuleContext& c) {
  const Heads heads = heads_of(c.node().int_or("num_heads", 0), c.node().int_or("num_heads", 0));
  if (heads.shared == 0 || c.rank(0) != 3 || !c.has(1) || !c.has(2)) return c.lock_all(Reason::fixed_axis);
  if (c.has(3)) {
    if (c.rank(1) != 3 || c.rank(2) != 3) return c.lock_all(Reason::fixed_axis);
    const Parts all{c.axis(0, 2), c.axis(1, 2), c.axis(2, 2)};
    c.meet(c.state().concat(all, c.index()), c.axis(3, 0));
  }
  if (c.has(4)) c.lock_from(4, 0, Reason::fixed_axis);
  attend(c, heads, {6, 7, 5});
  lock_rest(c, 8);
}

// The same with query heads that share keys, and sinks beside the scores. A cache is always there or in the making.
void grouped_query(RuleContext& c) {
  const Heads heads = heads_of(c.node().int_or("num_heads", 0), c.node().int_or("kv_num_heads", 0));
  if (heads.shared == 0 || c.rank(0) != 3 || !c.has(1) || !c.has(2)) return c.lock_all(Reason::fixed_axis);
  // The runtime has kernels for some sizes only, and may turn pairs of a head's elements.
  c.lock(hidden(c, 0, {heads.shared, heads.each})[2], Reason::fixed_axis);
  c.lock(hidden(c, 1, {heads.shared})[1], Reason::fixed_axis);
  c.lock(hidden(c, 2, {heads.shared})[1], Reason::fixed_axis);
  for (std::size_t i = 5; i < 10; ++i)
    if (c.has(i)) c.lock_from(i, 0, Reason::fixed_axis);
  const Axis all_heads = attend(c, heads, {3, 4, 10});
  if (c.has(11)) c.meet(all_heads, c.axis(11, 0));
  lock_rest(c, 12);
}

// One matrix projects to query, key and value, side by side.
void projected(RuleContext& c) {
  const std::int64_t heads = c.node().int_or("num_heads", 0), total = c.shape(1)[1];
  auto sizes = c.node().ints("qkv_hidden_sizes");
  std::vector<std::int64_t> widths(sizes.begin(), sizes.end());
  if (widths.empty()) widths.assign(3, total / 3);
  if (heads < 1 || widths.size() != 3 || widths[0] + widths[1] + widths[2] != total)
    return c.lock_all(Reason::unknown_shape);
  c.lock(0, 1, Reason::normalised_axis);
  c.mix_contraction(0, 2, 1, 0);
  Axis columns = c.axis(1, 1);
  if (c.has(2)) columns = c.meet(columns, c.axis(2, 0));
  std::vector<Parts> parts;
  std::int64_t begin = 0;
  for (std::int64_t width : widths) {
    if (width < 1 || width % heads != 0) return c.lock_all(Reason::unknown_shape);
    parts.push_back(apart(c, c.state().range(columns, begin, begin + width, c.index()), {heads, width / heads}));
    begin += width;
  }
  if (c.node().int_or("do_rotary", 0) != 0) c.lock(parts[0][1], Reason::fixed_axis);
  parts[0].insert(parts[0].begin() + 1, State::free_axis(1));
  const Parts row = tie_heads(c, parts[0], parts[1], parts[2]);
  if (c.has(3)) c.lock_from(3, 0, Reason::fixed_axis);
  if (c.has(4)) {  // (2, batch, heads, steps, size)
    c.lock(4, 0, Reason::fixed_axis);
    c.meet(c.axis(0, 0), c.axis(4, 1));
    c.lock(4, 3, Reason::normalised_axis);
    c.meet(row[0], c.axis(4, 2));
    c.meet(parts[1][1], c.axis(4, 4));
    c.meet(row[2], c.axis(4, 4));
  }
  add_to_scores(c, 5, row[0]);
  lock_rest(c, 6);
  c.set(0, 0, c.axis(0, 0));
  c.set(0, 2, joined(c, row));
  if (!c.has_output(1) || c.out_rank(1) != 5) return;
  c.set(1, 2, row[0]);
  c.set(1, 4, c.meet(parts[1][1], row[2]));
}

// Turns pairs of a head's elements: heads may go, a head keeps its size.
void rotary(RuleContext& c, std::size_t cosines) {
  std::int64_t heads = c.rank(0) == 4 ? c.shape(0)[1] : c.node().int_or("num_heads", 0);
  if (heads == 0) {
    const std::int64_t size = 2 * c.shape(cosines).back();
    heads = size > 0 && c.shape(0).back() % size == 0 ? c.shape(0).back() / size : 0;
  }
  if (heads < 1) return c.lock_all(Reason::unknown_shape);
  const Parts row = hidden(c, 0, {heads});
  c.lock(row[1], Reason::fixed_axis);
  c.lock(0, time_axis(c, 0), Reason::fixed_axis);
  lock_rest(c, 1);
  c.set(0, 0, c.axis(0, 0));
  if (c.rank(0) == 4) {
    c.set(0, 1, row[0]);
    c.set(0, 3, row[1]);
  } else {
    c.set(0, 2, joined(c, row));
  }
}

}  // namespace

void add_attention_rules(std::vector<RuleEntry>& rules) {
  rules.push_back({"", "Attention", attention});
  rules.push_back({"", "RotaryEmbedding", [](RuleContext& c) { rotary(c, 1); }});
  rules.push_back({"com.microsoft", "Attention", projected});
  rules.push_back({"com.microsoft", "GroupQueryAttention", grouped_query});
  rules.push_back({"com.microsoft", "MultiHeadAttention", multi_head});
  rules.push_back({"com.microsoft", "RotaryEmbedding", [](RuleContext& c) { rotary(c, 2); }});
}

}  // namespace coppice::coupling
