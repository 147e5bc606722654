#include "coupling/rule_case.hpp"

// Attention as the runtime's own operators.
namespace coppice::coupling {
namespace {

void tail(Tiny& t, ValueId y, std::int64_t width) {
  t.out(t.fc(y, "o", width, 4));
}
// [4, 5, 2] with the columns of a [3, 4] as the batch, and back to [2, 5, 4].
ValueId batched(Tiny& t) {
  return t.op("Transpose", {tokens(t)});
}
ValueId back(Tiny& t, ValueId h) {
  return t.op("Transpose", {h});
}
// [2, 4, 2] with the columns of a [3, 4] as the steps.
ValueId timed(Tiny& t) {
  return t.op("Transpose", {t.fc(t.x("x", {2, 2, 3}), "a", 3, 4)}, {attr("perm", Indices{0, 2, 1})});
}
constexpr ValueId none = graph::no_value;

const RuleCases cases{
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
           const ValueId y = t.op(
               "com.microsoft.GroupQueryAttention",
               {tokens(t, "q", 16), tokens(t, "k", 8), tokens(t, "v", 8), none, none, t.w("last", {2}, DType::int32),
                t.w("steps", {}, DType::int32), t.w("cos", {7, 2}), t.w("sin", {7, 2})},
               {attr("num_heads", 4), attr("kv_num_heads", 2), attr("do_rotary", 1)});
           tail(t, y, 16);
         },
     .units = {"q.1 ppppppppqqqqqqqq", "k.1 ppppqqqq", "v.1 ppppqqqq", "cos.0 .......", "cos.1 ..", "sin.1 ..",
               "o.0 ppppppppqqqqqqqq"},
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
    {.op = "com.microsoft.Attention",
     .what = "OfTheRuntimeLosesDimensionsOfTheCacheToo",
     .build =
         [](Tiny& t) {
           const ValueId y = t.op("com.microsoft.Attention",
                                  {tokens(t), t.w("w", {4, 12}), t.w("c", {12}), none, t.w("past", {2, 2, 2, 7, 2})},
                                  {attr("num_heads", 2)});
           tail(t, y, 4);
         },
     .units = {"w.1 pqpqpqpqpqpq", "past.4 pq", "past.2 AB", "o.0 pqpq"},
     .locks = {{"AB", Reason::split_factor, "Attention1"}},
     .mixes = {"Attention1: contraction 0.2 1.0"},
     .options = {.attention = Attention::head_dim}},
    {.op = "com.microsoft.Attention",
     .what = "OfTheRuntimeTurnsWithinAHead",
     .build =
         [](Tiny& t) {
           const ValueId y = t.op("com.microsoft.Attention", {tokens(t), t.w("w", {4, 18}), t.w("c", {18})},
                                  {attr("num_heads", 3), attr("do_rotary", 1)});
           tail(t, y, 6);
         },
     .units = {"w.1 ppqqrrppqqrrppqqrr", "o.0 ppqqrr"},
     .mixes = {"Attention1: contraction 0.2 1.0"},
     .options = {.attention = Attention::head_dim}},
    {.op = "com.microsoft.Attention",
     .what = "OfTheRuntimeLocksTime",
     .build =
         [](Tiny& t) {
           t.out(
               t.op("com.microsoft.Attention", {timed(t), t.w("w", {2, 12}), t.w("c", {12})}, {attr("num_heads", 2)}));
         },
     .units = {"a.1 ABCD"},
     .locks = {{"ABCD", Reason::normalised_axis, "Attention2"}}},
    {.op = "com.microsoft.Attention",
     .what = "OfTheRuntimePassesTheBatch",
     .build =
         [](Tiny& t) {
           const ValueId y =
               t.op("com.microsoft.Attention", {batched(t), t.w("w", {2, 6}), t.w("c", {6})}, {attr("num_heads", 2)});
           tail(t, back(t, y), 4);
         },
     .units = {"a.1 pqrs", "o.0 pqrs"}},
    {.op = "com.microsoft.Attention",
     .what = "OfTheRuntimeLeavesHeadsForLater",
     .build =
         [](Tiny& t) {
           const auto all = t.ops("com.microsoft.Attention", {tokens(t), t.w("w", {4, 12}), t.w("c", {12})}, 2,
                                  {attr("num_heads", 2)});
           tail(t, all[0], 4);
         },
     .units = {"w.1 ppqqppqqppqq", "Attention1:1.2 pq", "Attention1:1.4 AB", "o.0 ppqq"},
     .locks = {{"AB", Reason::split_factor, "Attention1"}},
     .mixes = {"Attention1: contraction 0.2 1.0"}},
    {.op = "com.microsoft.MultiHeadAttention",
     .what = "LeavesHeadsForLater",
     .build =
         [](Tiny& t) {
           const auto all = t.ops("com.microsoft.MultiHeadAttention",
                                  {tokens(t, "q", 4), tokens(t, "k", 4), tokens(t, "v", 6), none, none, none,
                                   t.w("pk", {2, 2, 7, 2}), t.w("pv", {2, 2, 7, 3})},
                                  3, {attr("num_heads", 2)});
           tail(t, all[0], 6);
         },
     .units = {"k.1 ppqq", "pk.1 pq", "pv.1 pq", "MultiHeadAttention3:1.1 pq", "MultiHeadAttention3:2.1 pq",
               "o.0 pppqqq"},
     .mixes = {"MultiHeadAttention3: contraction 0.2 1.2"}},
};

}  // namespace

const RuleCases& runtime_attention_cases() {
  return cases;
}

INSTANTIATE_TEST_SUITE_P(RuntimeAttention, Rules, testing::ValuesIn(runtime_attention_cases()), case_name);

}  // namespace coppice::coupling
