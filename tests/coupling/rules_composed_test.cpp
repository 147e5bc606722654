#include "coupling/rule_case.hpp"

// Attention of many operators: heads come out of the rules for Reshape, Transpose, MatMul and Softmax together.
namespace coppice::coupling {
namespace {

constexpr std::int64_t length = 5;

ValueId split_heads(Tiny& t, ValueId h, std::int64_t heads, std::int64_t size, Indices perm) {
  return t.op("Transpose", {t.op("Reshape", {h, t.ints({2, length, heads, size})})},
              {attr("perm", AttributeValue(std::move(perm)))});
}
void attend(Tiny& t, ValueId q, ValueId keys, ValueId v, std::int64_t width) {
  const ValueId weights = t.op("Softmax", {t.op("MatMul", {q, keys})}, {attr("axis", -1)});
  const ValueId y = t.op("Transpose", {t.op("MatMul", {weights, v})}, {attr("perm", Indices{0, 2, 1, 3})});
  t.out(t.fc(t.op("Reshape", {y, t.ints({2, length, width})}), "o", width, 4));
}

// Two heads of three from matrices of their own.
void separate(Tiny& t) {
  const ValueId q = split_heads(t, tokens(t, "q", 6), 2, 3, {0, 2, 1, 3});
  const ValueId k = split_heads(t, tokens(t, "k", 6), 2, 3, {0, 2, 3, 1});
  attend(t, q, k, split_heads(t, tokens(t, "v", 6), 2, 3, {0, 2, 1, 3}), 6);
}
// The same from one matrix [3, 3 * 6], picked apart by index or by Split.
void fused(Tiny& t, bool by_split) {
  const ValueId all = tokens(t, "qkv", 18);
  std::vector<ValueId> parts;
  if (by_split) {
    for (ValueId part : t.ops("Split", {all, t.ints({6, 6, 6})}, 3, {attr("axis", -1)}))
      parts.push_back(split_heads(t, part, 2, 3, {0, 2, 1, 3}));
  } else {
    const ValueId apart = t.op("Transpose", {t.op("Reshape", {all, t.ints({2, length, 3, 2, 3})})},
                               {attr("perm", Indices{2, 0, 3, 1, 4})});
    for (std::int64_t i : {0, 1, 2}) parts.push_back(t.op("Gather", {apart, t.b.int_scalar(i)}, {attr("axis", 0)}));
  }
  attend(t, parts[0], t.op("Transpose", {parts[1]}, {attr("perm", Indices{0, 1, 3, 2})}), parts[2], 6);
}
// The same by equations, which keep the heads where they are.
void by_einsum(Tiny& t) {
  const auto heads = [&](const char* name) { return t.op("Reshape", {tokens(t, name, 6), t.ints({2, length, 2, 3})}); };
  const auto sum = [&](ValueId a, ValueId b, const char* text) {
    return t.op("Einsum", {a, b}, {attr("equation", AttributeValue(std::string(text)))});
  };
  const ValueId weights = t.op("Softmax", {sum(heads("q"), heads("k"), "bqhd,bkhd->bhqk")}, {attr("axis", -1)});
  t.out(t.fc(t.op("Reshape", {sum(weights, heads("v"), "bhqk,bkhd->bqhd"), t.ints({2, length, 6})}), "o", 6, 4));
}
// Four heads of two share two heads of keys and values.
void grouped_queries(Tiny& t) {
  const auto repeat = [&](const char* name) {
    const ValueId h = split_heads(t, tokens(t, name, 4), 2, 2, {0, 2, 1, 3});
    const ValueId wide = t.op("Expand", {t.op("Unsqueeze", {h, t.ints({2})}), t.ints({2, 2, 2, length, 2})});
    return t.op("Reshape", {wide, t.ints({2, 4, length, 2})});
  };
  const ValueId q = split_heads(t, tokens(t, "q", 8), 4, 2, {0, 2, 1, 3});
  const ValueId k = t.op("Transpose", {repeat("k")}, {attr("perm", Indices{0, 1, 3, 2})});
  attend(t, q, k, repeat("v"), 8);
}

const RuleCases cases{
    {.op = "Attention",
     .what = "LosesWholeHeads",
     .build = separate,
     .units = {"q.1 pppqqq", "k.1 pppqqq", "v.1 pppqqq", "o.0 pppqqq"}},
    {.op = "Attention",
     .what = "LosesDimensionsOfEveryHeadByOption",
     .build = separate,
     .units = {"q.1 pqrpqr", "k.1 pqrpqr", "v.1 uvwuvw", "o.0 uvwuvw"},
     .options = {.attention = Attention::head_dim}},
    {.op = "Attention",
     .what = "FusedByIndex",
     .build = [](Tiny& t) { fused(t, false); },
     .units = {"qkv.1 pppqqqpppqqqpppqqq", "o.0 pppqqq"}},
    {.op = "Attention",
     .what = "FusedBySplit",
     .build = [](Tiny& t) { fused(t, true); },
     .units = {"qkv.1 pppqqqpppqqqpppqqq", "o.0 pppqqq"}},
    {.op = "Attention",
     .what = "FusedLosesDimensions",
     .build = [](Tiny& t) { fused(t, true); },
     .units = {"qkv.1 pqrpqrpqrpqruvwuvw", "o.0 uvwuvw"},
     .options = {.attention = Attention::head_dim}},
    {.op = "Attention",
     .what = "ByEquations",
     .build = by_einsum,
     .units = {"q.1 pppqqq", "k.1 pppqqq", "v.1 pppqqq", "o.0 pppqqq"}},
    {.op = "Attention",
     .what = "OfGroupedQueriesLosesAGroup",
     .build = grouped_queries,
     .units = {"q.1 ppppqqqq", "k.1 ppqq", "v.1 ppqq", "o.0 ppppqqqq"}},
};

INSTANTIATE_TEST_SUITE_P(Composed, Rules, testing::ValuesIn(cases), case_name);

}  // namespace
}  // namespace coppice::coupling
