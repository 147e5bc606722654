#include "coupling/rule_case.hpp"

// Attention as one operator of the standard: heads go whole, those of keys with all queries that share them.
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
    {.op = "Attention",
     .what = "OfHeadsApartLosesDimensions",
     .build =
         [](Tiny& t) {
           const ValueId q = apart(t, tokens(t, "q", 6), 2), k = apart(t, tokens(t, "k", 6), 2);
           tail(t, together(t, t.op("Attention", {q, k, apart(t, tokens(t, "v", 6), 2)}), 2), 6);
         },
     .units = {"q.1 pqrpqr", "k.1 pqrpqr", "v.1 uvwuvw", "o.0 uvwuvw"},
     .mixes = {"Attention9: contraction 0.3 1.3"},
     .options = {.attention = Attention::head_dim},
     .opset = 23},
    {.op = "Attention",
     .what = "PassesTheBatchAndTheHeads",
     .build =
         [](Tiny& t) {
           const ValueId h = batched(t);
           const auto all = t.ops("Attention", {h, h, h}, 4, heads(2, 2));
           tail(t, back(t, all[0]), 4);
         },
     .units = {"a.1 pqrs", "Attention2:1.0 pqrs", "Attention2:2.0 pqrs", "o.0 pqrs"},
     .opset = 23},
    {.op = "Attention",
     .what = "GivesAScoreAHead",
     .build =
         [](Tiny& t) {
           const auto all =
               t.ops("Attention", {tokens(t, "q", 4), tokens(t, "k", 4), tokens(t, "v", 4)}, 4, heads(2, 2));
           tail(t, all[0], 4);
         },
     .units = {"q.1 ppqq", "Attention3:3.1 pq", "Attention3:3.2 .....", "o.0 ppqq"},
     .mixes = {"Attention3: contraction 0.2 1.2"},
     .opset = 23},
    {.op = "Attention",
     .what = "LocksTime",
     .build =
         [](Tiny& t) {
           const ValueId h = timed(t);
           t.out(t.op("Attention", {h, h, h}, heads(1, 1)));
         },
     .units = {"a.1 ABCD"},
     .locks = {{"ABCD", Reason::normalised_axis, "Attention2"}},
     .opset = 23},
    {.op = "RotaryEmbedding",
     .what = "PassesTheBatch",
     .build =
         [](Tiny& t) {
           const ValueId y = t.op("RotaryEmbedding",
                                  {batched(t), t.w("cos", {7, 1}), t.w("sin", {7, 1}), t.x("at", {4, 5}, DType::int64)},
                                  {attr("num_heads", 1)});
           tail(t, back(t, y), 4);
         },
     .units = {"a.1 pqrs", "o.0 pqrs"},
     .opset = 23},
    {.op = "RotaryEmbedding",
     .what = "LocksTime",
     .build =
         [](Tiny& t) {
           t.out(t.op("RotaryEmbedding", {timed(t), t.w("cos", {2, 4, 1}), t.w("sin", {2, 4, 1})},
                      {attr("num_heads", 1)}));
         },
     .units = {"a.1 ABCD"},
     .locks = {{"ABCD", Reason::fixed_axis, "RotaryEmbedding2"}},
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

}  // namespace

const RuleCases& attention_cases() {
  return standard;
}

INSTANTIATE_TEST_SUITE_P(Attention, Rules, testing::ValuesIn(attention_cases()), case_name);

}  // namespace coppice::coupling
