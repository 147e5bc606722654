#include "coupling/rule_case.hpp"

// Attention as one operator: heads go whole, those of keys with all queries that share them.
namespace coppice::coupling {
namespace {

void tail(Tiny& t, ValueId y, std::int64_t width) {
  t.out(t.fc(y, "o", width, 4));
}
std::vector<graph::Attribute> heads(std::int64_t query, std::int64_t shared) {
  return {attr("q_num_heads", query), attr("kv_num_heads", shared)};
}
// [2, 5, heads * 3] as [2, heads, 5, 3] and back.
ValueId apart(Tiny& t, ValueId h, std::int64_t count) {
  return t.op("Transpose", {t.op("Reshape", {h, t.ints({2, 5, count, 3})})}, {attr("perm", Indices{0, 2, 1, 3})});
}
ValueId together(Tiny& t, ValueId h, std::int64_t count) {
  const ValueId turned = t.op("Transpose", {h}, {attr("perm", Indices{0, 2, 1, 3})});
  return t.op("Reshape", {turned, t.ints({2, 5, count * 3})});
}
constexpr ValueId none = graph::no_value;

const RuleCases standard{
    {.op = "Attention",
     .what = "LosesAKeyHeadWithItsQueries",  // four query heads of 2, two key heads of 2, two value heads of 3
     .build =
         [](Tiny& t) {
           tail(t, t.op("Attention", {tokens(t, "q", 8), tokens(t, "k", 4), tokens(t, "v", 6)}, heads(4, 2)), 12);
         },
     .units = {"q.1 ppppqqqq", "k.1 ppqq", "v.1 pppqqq", "o.0 ppppppqqqqqq"},
     .mixes = {"Attention3: contraction 0.2 1.2"},
     .opset = 23},
    {.op = "Attention",
     .what = "LosesDimensionsByOption",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Attention", {tokens(t, "q", 4), tokens(t, "k", 4), tokens(t, "v", 6)}, heads(2, 2)), 6);
         },
     .units = {"q.1 pqpq", "k.1 pqpq", "v.1 uvwuvw", "o.0 uvwuvw"},
     .mixes = {"Attention3: contraction 0.2 1.2"},
     .options = {.attention = Attention::head_dim},
     .opset = 23},
    {.op = "Attention",
     .what = "LosesSingleQueriesOfTheOnlyKey",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Attention", {tokens(t, "q", 8), tokens(t, "k", 2), tokens(t, "v", 3)}, heads(4, 1)), 12);
         },
     .units = {"q.1 ppqqrrss", "k.1 AB", "v.1 CDE", "o.0 pppqqqrrrsss"},
     .locks = {{"AB", Reason::split_factor, "Attention3"}, {"CDE", Reason::split_factor, "MatMul4"}},
     .mixes = {"Attention3: contraction 0.2 1.2"},
     .opset = 23},
    {.op = "Attention",
     .what = "OfHeadsWithAMaskEach",
     .build =
         [](Tiny& t) {
           const ValueId q = apart(t, tokens(t, "q", 6), 2), k = apart(t, tokens(t, "k", 6), 2);
           const ValueId y = t.op("Attention", {q, k, apart(t, tokens(t, "v", 6), 2), t.w("mask", {2, 5, 5})});
           tail(t, together(t, y, 2), 6);
         },
     .units = {"q.1 pppqqq", "k.1 pppqqq", "v.1 pppqqq", "mask.0 pq", "mask.1 .....", "mask.2 .....", "o.0 pppqqq"},
     .mixes = {"Attention9: contraction 0.3 1.3"},
     .opset = 23},
    {.op = "Attention",
     .what = "TiesWhatEarlierStepsLeft",
     .build =
         [](Tiny& t) {
           const ValueId y = t.op("Attention",
                                  {tokens(t, "q", 4), tokens(t, "k", 4), tokens(t, "v", 6), none,
                                   t.w("pk", {2, 2, 7, 2}), t.w("pv", {2, 2, 7, 3})},
                                  heads(2, 2));
           tail(t, y, 6);
         },
     .units = {"q.1 ppqq", "pk.1 pq", "pk.2 .......", "pk.3 AB", "pk.0 CD", "pv.1 pq", "pv.3 EFG", "o.0 pppqqq"},
     .locks = {{"ABEFG", Reason::split_factor, "Attention3"}, {"CD", Reason::graph_input, "Attention3"}},
     .mixes = {"Attention3: contraction 0.2 1.2"},
     .opset = 23},
    {.op = "Attention",
     .what = "LocksHeadsThatLeaveWithTheKeys",
     .build =
         [](Tiny& t) {
           const auto all =
               t.ops("Attention", {tokens(t, "q", 4), tokens(t, "k", 4), tokens(t, "v", 4)}, 3, heads(2, 2));
           t.out(all[1]);
           tail(t, all[0], 4);
         },
     .units = {"Attention3:1.1 AB", "Attention3:1.3 CD", "q.1 EFGH", "k.1 IJKL"},
     .locks = {{"ABCD", Reason::graph_output, ""}},
     .mixes = {"Attention3: contraction 0.2 1.2"},
     .opset = 23},
    {.op = "RotaryEmbedding",
     .what = "TurnsWithinAHead",
     .build =
         [](Tiny& t) {
           const ValueId y = t.op("RotaryEmbedding", {tokens(t, "q", 8), t.w("cos", {2, 5, 1}), t.w("sin", {2, 5, 1})},
                                  {attr("num_heads", 4)});
           tail(t, y, 8);
         },
     .units = {"q.1 ppqqrrss", "o.0 ppqqrrss", "cos.0 ..", "cos.1 .....", "sin.1 ....."},
     .opset = 23},
    {.op = "RotaryEmbedding",
     .what = "OfHeadsApart",
     .build =
         [](Tiny& t) {
           const ValueId q = apart(t, tokens(t, "q", 6), 2);
           const ValueId y =
               t.op("RotaryEmbedding", {q, t.w("cos", {7, 1}), t.w("sin", {7, 1}), t.x("at", {2, 5}, DType::int64)},
                    {attr("rotary_embedding_dim", 2)});
           tail(t, together(t, y, 2), 6);
         },
     .units = {"q.1 pppqqq", "o.0 pppqqq"},
     .opset = 23},
};

const RuleCases of_the_runtime{
    {.op = "com.microsoft.RotaryEmbedding",
     .what = "OfTheRuntimeCountsItsHeads",
     .build =
         [](Tiny& t) {
           tail(t,
                t.op("com.microsoft.RotaryEmbedding",
                     {tokens(t, "q", 8), t.x("at", {2, 5}, DType::int64), t.w("cos", {7, 1}), t.w("sin", {7, 1})}),
                8);
         },
     .units = {"q.1 ppqqrrss", "o.0 ppqqrrss", "cos.0 .......", "sin.0 ......."}},
    {.op = "com.microsoft.MultiHeadAttention",
     .what = "HasABiasForAllThree",
     .build =
         [](Tiny& t) {
           const ValueId y =
               t.op("com.microsoft.MultiHeadAttention",
                    {tokens(t, "q", 4), tokens(t, "k", 4), tokens(t, "v", 6), t.w("c", {14})}, {attr("num_heads", 2)});
           tail(t, y, 6);
         },
     .units = {"q.1 ppqq", "k.1 ppqq", "v.1 pppqqq", "c.0 ppqqppqqpppqqq", "o.0 pppqqq"},
     .mixes = {"MultiHeadAttention3: contraction 0.2 1.2"}},
    {.op = "com.microsoft.MultiHeadAttention",
     .what = "AddsAScoreAHead",
     .build =
         [](Tiny& t) {
           const ValueId y =
               t.op("com.microsoft.MultiHeadAttention",
                    {tokens(t, "q", 4), tokens(t, "k", 4), tokens(t, "v", 4), none, none, t.w("c", {1, 2, 5, 5})},
                    {attr("num_heads", 2)});
           tail(t, y, 4);
         },
     .units = {"q.1 ppqq", "c.1 pq", "c.0 .", "c.2 .....", "c.3 .....", "o.0 ppqq"},
     .mixes = {"MultiHeadAttention3: contraction 0.2 1.2"}},
    {.op = "com.microsoft.GroupQueryAttention",
     .what = "LosesAKeyHeadWithItsQueries",
     .build =
         [](Tiny& t) {
           const ValueId y = t.op(
               "com.microsoft.GroupQueryAttention",
               {tokens(t, "q", 8), tokens(t, "k", 4), tokens(t, "v", 4), none, none, t.w("last", {2}, DType::int32),
                t.w("steps", {}, DType::int32), none, none, none, none, t.w("sink", {4})},
               {attr("num_heads", 4), attr("kv_num_heads", 2)});
           tail(t, y, 8);
         },
     .units = {"q.1 ppppqqqq", "k.1 ppqq", "v.1 ppqq", "sink.0 ppqq", "o.0 ppppqqqq"},
     .mixes = {"GroupQueryAttention3: contraction 0.2 1.2"}},
    {.op = "com.microsoft.GroupQueryAttention",
     .what = "KeepsTheSizeOfItsHeads",
     .build =
         [](Tiny& t) {
           const ValueId y = t.op("com.microsoft.GroupQueryAttention",
                                  {tokens(t, "q", 8), tokens(t, "k", 4), tokens(t, "v", 4), none, none,
                                   t.w("last", {2}, DType::int32), t.w("steps", {}, DType::int32)},
                                  {attr("num_heads", 4), attr("kv_num_heads", 2)});
           tail(t, y, 8);
         },
     .units = {"q.1 ppppqqqq", "k.1 ppqq", "v.1 ppqq", "o.0 ppppqqqq"},
     .mixes = {"GroupQueryAttention3: contraction 0.2 1.2"},
     .options = {.attention = Attention::head_dim}},
    {.op = "com.microsoft.Attention",
     .what = "OfTheRuntimeProjects",
     .build =
         [](Tiny& t) {
           const ValueId y =
               t.op("com.microsoft.Attention", {tokens(t), t.w("w", {4, 12}), t.w("c", {12})}, {attr("num_heads", 2)});
           tail(t, y, 4);
         },
     .units = {"a.1 uvxy", "w.0 uvxy", "w.1 ppqqppqqppqq", "c.0 ppqqppqqppqq", "o.0 ppqq"},
     .mixes = {"Attention1: contraction 0.2 1.0"}},
    {.op = "com.microsoft.Attention",
     .what = "OfTheRuntimeHasSizes",
     .build =
         [](Tiny& t) {
           const ValueId y = t.op("com.microsoft.Attention", {tokens(t), t.w("w", {4, 14}), t.w("c", {14})},
                                  {attr("num_heads", 2), attr("qkv_hidden_sizes", Indices{4, 4, 6})});
           tail(t, y, 6);
         },
     .units = {"w.1 ppqqppqqpppqqq", "c.0 ppqqppqqpppqqq", "o.0 pppqqq"},
     .mixes = {"Attention1: contraction 0.2 1.0"}},
    {.op = "com.microsoft.Attention",
     .what = "OfTheRuntimeTiesWhatEarlierStepsLeft",
     .build =
         [](Tiny& t) {
           const ValueId y = t.op("com.microsoft.Attention",
                                  {tokens(t), t.w("w", {4, 12}), t.w("c", {12}), none, t.w("past", {2, 2, 2, 7, 2})},
                                  {attr("num_heads", 2)});
           tail(t, y, 4);
         },
     .units = {"w.1 ppqqppqqppqq", "past.0 ..", "past.1 AB", "past.2 pq", "past.3 .......", "past.4 CD", "o.0 ppqq"},
     .locks = {{"AB", Reason::graph_input, "Attention1"}, {"CD", Reason::split_factor, "Attention1"}},
     .mixes = {"Attention1: contraction 0.2 1.0"}},
};

}  // namespace

const RuleCases& attention_cases() {
  static const RuleCases cases = [] {
    RuleCases all = standard;
    all.insert(all.end(), of_the_runtime.begin(), of_the_runtime.end());
    return all;
  }();
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Attention, Rules, testing::ValuesIn(attention_cases()), case_name);

}  // namespace coppice::coupling
