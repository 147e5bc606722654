#include <algorithm>
#include <cmath>
#include <string>

#include "pruning/structure_rules.hpp"

namespace coppice::pruning {
namespace {

struct Split {
  std::int64_t heads = 0, size = 0;  // of a head
};

// Heads and their size before and after, for a row of heads on one axis.
struct Change {
  Split before, after;
};

Change row(Cutter& c, const std::vector<std::int64_t>& kept, std::int64_t length, std::int64_t heads) {
  const std::int64_t left = groups_left(c, kept, length, heads);
  if (left == 0) c.fail("no head would be left");
  return {{heads, length / heads}, {left, static_cast<std::int64_t>(kept.size()) / left}};
}

// For an operand (batch, heads, steps, size) or (batch, steps, heads * size).
Change operand(Cutter& c, std::size_t i, std::int64_t heads) {
  const auto axes = c.axes(i);
  if (axes.size() == 4) return {{axes[1].length, axes[3].length}, {c.kept_count(axes[1]), c.kept_count(axes[3])}};
  return row(c, c.kept(axes[2]), axes[2].length, heads);
}

void set_if_new(Cutter& c, const std::string& name, std::int64_t value) {
  if (c.node().int_or(name, 0) != value) c.node().set(name, value);
}

// Without a scale the operators take one over the root of the head size, which must not follow the cut.
void keep_scale(Cutter& c, const Change& query) {
  if (query.before.size == query.after.size || c.node().float_or("scale", 0) != 0) return;
  c.node().set("scale", static_cast<float>(1 / std::sqrt(static_cast<double>(query.before.size))));
}

bool ready(Cutter& c, std::size_t operands) {
  for (std::size_t i = 0; i < operands; ++i)
    if (c.axes(i).size() < 3) return false;
  return true;
}

void attention(Cutter& c) {
  const std::int64_t query_heads = c.node().int_or("q_num_heads", 0), shared = c.node().int_or("kv_num_heads", 0);
  if (!ready(c, 3) || (c.axes(0).size() == 3 && query_heads < 1) || (c.axes(1).size() == 3 && shared < 1)) return;
  const Change query = operand(c, 0, query_heads);
  if (query_heads > 0) set_if_new(c, "q_num_heads", query.after.heads);
  if (shared > 0) set_if_new(c, "kv_num_heads", operand(c, 1, shared).after.heads);
  keep_scale(c, query);
}

void multi_head(Cutter& c) {
  const std::int64_t heads = c.node().int_or("num_heads", 0);
  if (heads < 1 || !ready(c, 3)) return;
  const Change query = operand(c, 0, heads);
  set_if_new(c, "num_heads", query.after.heads);
  keep_scale(c, query);
}

void grouped_query(Cutter& c) {
  multi_head(c);
  const std::int64_t shared = c.node().int_or("kv_num_heads", 0);
  if (shared > 0 && ready(c, 3)) set_if_new(c, "kv_num_heads", operand(c, 1, shared).after.heads);
}

void projected(Cutter& c) {
  const std::int64_t heads = c.node().int_or("num_heads", 0);
  const auto weight = c.axes(1);
  if (heads < 1 || weight.size() != 2 || !c.is_cut(weight[1])) return;
  const auto given = c.node().ints("qkv_hidden_sizes");
  std::vector<std::int64_t> sizes(given.begin(), given.end());
  if (sizes.empty()) sizes.assign(3, weight[1].length / 3);
  const std::vector<std::int64_t> kept = c.kept(weight[1]);
  std::vector<std::int64_t> now;
  std::int64_t begin = 0;
  Change query;
  for (std::size_t i = 0; i < 3; ++i) {
    std::vector<std::int64_t> mine;
    for (std::int64_t k : kept)
      if (k >= begin && k < begin + sizes[i]) mine.push_back(k - begin);
    begin += sizes[i];
    now.push_back(static_cast<std::int64_t>(mine.size()));
    const Change change = row(c, mine, sizes[i], heads);
    if (i == 0) query = change;
    if (change.after.heads != query.after.heads) c.fail("query, key and value would differ in heads");
  }
  set_if_new(c, "num_heads", query.after.heads);
  if (!given.empty() || now[0] != now[1] || now[1] != now[2]) c.node().set("qkv_hidden_sizes", now);
  keep_scale(c, query);
}

void rotary(Cutter& c) {
  const std::int64_t heads = c.node().int_or("num_heads", 0);
  if (heads < 1 || !ready(c, 1)) return;
  set_if_new(c, "num_heads", operand(c, 0, heads).after.heads);
}

}  // namespace

StructureRule find_attention_rule(std::string_view domain, std::string_view op) {
  if (!domain.empty() && domain != "com.microsoft") return nullptr;
  if (op == "RotaryEmbedding") return rotary;
  if (domain.empty()) return op == "Attention" ? attention : nullptr;
  if (op == "Attention") return projected;
  if (op == "MultiHeadAttention") return multi_head;
  return op == "GroupQueryAttention" ? grouped_query : nullptr;
}

}  // namespace coppice::pruning
