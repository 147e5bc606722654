#include "coupling/rule_case.hpp"

// Normalisations: parameters follow their axis, what the statistics run over is mixed.
namespace coppice::coupling {
namespace {

void tail(Tiny& t, ValueId y, std::int64_t width = 4) {
  t.out(t.fc(y, "b", width, 5));
}
// An activation [2, 4, 6] with units on both axes: those of a [3, 4] and of c [3, 6].
ValueId plane(Tiny& t) {
  const ValueId column = t.op("Unsqueeze", {rows(t), t.ints({2})});
  return t.op("Add", {column, t.op("Unsqueeze", {rows(t, "c", 6), t.ints({1})})});
}
void plane_tail(Tiny& t, ValueId y) {
  t.out(t.op("ReduceMax", {t.fc(y, "b", 6, 5), t.ints({1})}));
}

const RuleCases channels{
    {.op = "BatchNormalization",
     .what = "TiesFourVectors",
     .build =
         [](Tiny& t) {
           t.out(t.conv(
               t.op("BatchNormalization", {image(t), t.w("g", {4}), t.w("h", {4}), t.w("m", {4}), t.w("v", {4})}), "b",
               4, 5));
         },
     .units = {"a.0 pqrs", "g.0 pqrs", "h.0 pqrs", "m.0 pqrs", "v.0 pqrs", "b.1 pqrs"}},
    {.op = "BatchNormalization",
     .what = "OfRows",
     .build =
         [](Tiny& t) {
           tail(t, t.op("BatchNormalization", {rows(t), t.w("g", {4}), t.w("h", {4}), t.w("m", {4}), t.w("v", {4})}));
         },
     .units = {"a.1 pqrs", "g.0 pqrs", "h.0 pqrs", "m.0 pqrs", "v.0 pqrs", "b.0 pqrs"}},
    {.op = "BatchNormalization",
     .what = "InTrainingGivesStatistics",
     .build =
         [](Tiny& t) {
           const auto all =
               t.ops("BatchNormalization", {rows(t), t.w("g", {4}), t.w("h", {4}), t.w("m", {4}), t.w("v", {4})}, 3,
                     {attr("training_mode", 1)});
           tail(t, t.op("Mul", {all[0], all[1]}));
         },
     .units = {"a.1 pqrs", "g.0 pqrs", "BatchNormalization1:1.0 pqrs", "BatchNormalization1:2.0 pqrs", "b.0 pqrs"}},
    {.op = "BatchNormalization",
     .what = "InTrainingMixesTheBatch",
     .build =
         [](Tiny& t) {
           const ValueId turned = t.op("Transpose", {rows(t)});
           const auto all =
               t.ops("BatchNormalization", {turned, t.w("g", {2}), t.w("h", {2}), t.w("m", {2}), t.w("v", {2})}, 3,
                     {attr("training_mode", 1)});
           tail(t, t.op("Transpose", {all[0]}));
         },
     .units = {"a.1 ABCD", "g.0 EF"},
     .locks = {{"ABCD", Reason::fixed_axis, "BatchNormalization2"},
               {"EF", Reason::graph_input, "BatchNormalization2"}}},
    {.op = "BatchNormalization",
     .what = "HadOneNumberAFeature",
     .build =
         [](Tiny& t) {
           t.out(t.op("BatchNormalization",
                      {image(t), t.w("g", {4, 4, 4}), t.w("h", {4, 4, 4}), t.w("m", {4, 4, 4}), t.w("v", {4, 4, 4})},
                      {attr("spatial", 0)}));
         },
     .units = {"a.0 ABCD"},
     .locks = {{"ABCD", Reason::fixed_axis, "BatchNormalization1"}},
     .opset = 8},
    {.op = "InstanceNormalization",
     .what = "TiesItsVectors",
     .build =
         [](Tiny& t) {
           t.out(t.conv(t.op("InstanceNormalization", {image(t), t.w("g", {4}), t.w("h", {4})}), "b", 4, 5));
         },
     .units = {"a.0 pqrs", "g.0 pqrs", "h.0 pqrs", "b.1 pqrs"}},
    {.op = "InstanceNormalization",
     .what = "MixesTheAxesBehindTheChannels",
     .build =
         [](Tiny& t) {
           tail(t, t.op("InstanceNormalization", {tokens(t), t.w("g", {5}), t.w("h", {5})}));
         },
     .units = {"a.1 pqrs", "b.0 pqrs", "g.0 ABCDE", "h.0 FGHIJ"},
     .locks = {{"ABCDEFGHIJ", Reason::graph_input, "InstanceNormalization1"}},
     .mixes = {"InstanceNormalization1: statistics 0.2"}},
    {.op = "GroupNormalization",
     .what = "LosesWholeGroups",
     .build =
         [](Tiny& t) {
           t.out(t.conv(
               t.op("GroupNormalization", {image(t, "a", 8), t.w("g", {8}), t.w("h", {8})}, {attr("num_groups", 4)}),
               "b", 8, 5));
         },
     .units = {"a.0 ppqqrrss", "g.0 ppqqrrss", "h.0 ppqqrrss", "b.1 ppqqrrss"},
     .mixes = {"GroupNormalization1: statistics 0.1"}},
    {.op = "GroupNormalization",
     .what = "HadOneScaleAGroupBefore21",
     .build =
         [](Tiny& t) {
           t.out(t.conv(
               t.op("GroupNormalization", {image(t, "a", 8), t.w("g", {4}), t.w("h", {4})}, {attr("num_groups", 4)}),
               "b", 8, 5));
         },
     .units = {"a.0 ppqqrrss", "g.0 pqrs", "h.0 pqrs", "b.1 ppqqrrss"},
     .mixes = {"GroupNormalization1: statistics 0.1"},
     .opset = 18},
    {.op = "GroupNormalization",
     .what = "OfOneGroupMixesAll",
     .build =
         [](Tiny& t) {
           t.out(t.conv(t.op("GroupNormalization", {image(t), t.w("g", {4}), t.w("h", {4})}, {attr("num_groups", 1)}),
                        "b", 4, 5));
         },
     .units = {"a.0 pqrs", "g.0 pqrs", "h.0 pqrs", "b.1 pqrs"},
     .mixes = {"GroupNormalization1: statistics 0.1"}},
    {.op = "GroupNormalization",
     .what = "OfAGroupAChannel",
     .build =
         [](Tiny& t) {
           t.out(t.conv(t.op("GroupNormalization", {image(t), t.w("g", {4}), t.w("h", {4})}, {attr("num_groups", 4)}),
                        "b", 4, 5));
         },
     .units = {"a.0 pqrs", "g.0 pqrs", "h.0 pqrs", "b.1 pqrs"},
     .mixes = {"GroupNormalization1: statistics 0.1"}},
    {.op = "GroupNormalization",
     .what = "MixesSpace",
     .build =
         [](Tiny& t) {
           const ValueId y =
               t.op("GroupNormalization", {turned(t), t.w("g", {4}), t.w("h", {4})}, {attr("num_groups", 2)});
           t.out(t.conv(t.op("Transpose", {y}, {attr("perm", Indices{0, 2, 1, 3})}), "b", 4, 5));
         },
     .units = {"a.0 pqrs", "g.0 ABCD", "b.1 pqrs"},
     .locks = {{"ABCD", Reason::fixed_axis, "GroupNormalization2"}},
     .mixes = {"GroupNormalization2: statistics 0.2"}},
    {.op = "LRN",
     .what = "LocksNeighbours",
     .build = [](Tiny& t) { t.out(t.conv(t.op("LRN", {image(t)}, {attr("size", 3)}), "b", 4, 5)); },
     .units = {"a.0 ABCD", "b.1 ABCD"},
     .locks = {{"ABCD", Reason::ordered_axis, "LRN1"}}},
};

const RuleCases layers{
    {.op = "LayerNormalization",
     .what = "OverTheLastAxis",
     .build =
         [](Tiny& t) {
           tail(t, t.op("LayerNormalization", {tokens(t), t.w("g", {4}), t.w("h", {4})}));
         },
     .units = {"a.1 pqrs", "g.0 pqrs", "h.0 pqrs", "b.0 pqrs"},
     .mixes = {"LayerNormalization1: statistics 0.2"}},
    {.op = "LayerNormalization",
     .what = "OverTwoAxes",
     .build =
         [](Tiny& t) {
           plane_tail(t, t.op("LayerNormalization", {plane(t), t.w("g", {4, 6})}, {attr("axis", -2)}));
         },
     .units = {"a.1 pqrs", "c.1 uvwxyz", "g.0 pqrs", "g.1 uvwxyz", "b.0 uvwxyz"},
     .mixes = {"LayerNormalization5: statistics 0.1", "LayerNormalization5: statistics 0.2"}},
    {.op = "LayerNormalization",
     .what = "GivesTheMeanOfEveryRow",
     .build =
         [](Tiny& t) {
           const auto all = t.ops("LayerNormalization", {plane(t), t.w("g", {6})}, 3, {attr("axis", 2)});
           plane_tail(t, t.op("Add", {all[0], all[1]}));
         },
     .units = {"a.1 pqrs", "LayerNormalization5:1.1 pqrs", "LayerNormalization5:1.2 .", "LayerNormalization5:2.1 pqrs",
               "g.0 uvwxyz", "b.0 uvwxyz"},
     .mixes = {"LayerNormalization5: statistics 0.2"}},
    {.op = "LayerNormalization",
     .what = "StretchesItsScale",
     .build =
         [](Tiny& t) {
           tail(t, t.op("LayerNormalization", {tokens(t), t.w("g", {1})}));
         },
     .units = {"a.1 pqrs", "g.0 .", "b.0 pqrs"},
     .mixes = {"LayerNormalization1: statistics 0.2"}},
    {.op = "LayerNormalization",
     .what = "StretchesAnActivation",
     .build =
         [](Tiny& t) {
           tail(t, t.op("LayerNormalization", {tokens(t), t.fc(t.x("y", {3}), "c", 3, 1)}));
         },
     .units = {"a.1 pqrs", "c.1 A", "b.0 pqrs"},
     .locks = {{"A", Reason::broadcast_slice, "LayerNormalization2"}},
     .mixes = {"LayerNormalization2: statistics 0.2"}},
    {.op = "RMSNormalization",
     .what = "OverTheLastAxis",
     .build =
         [](Tiny& t) {
           tail(t, t.op("RMSNormalization", {tokens(t), t.w("g", {4})}));
         },
     .units = {"a.1 pqrs", "g.0 pqrs", "b.0 pqrs"},
     .mixes = {"RMSNormalization1: statistics 0.2"},
     .opset = 23},
    {.op = "SimplifiedLayerNormalization",
     .what = "OverTheLastAxis",
     .build =
         [](Tiny& t) {
           tail(t, t.op("SimplifiedLayerNormalization", {tokens(t), t.w("g", {4})}));
         },
     .units = {"a.1 pqrs", "g.0 pqrs", "b.0 pqrs"},
     .mixes = {"SimplifiedLayerNormalization1: statistics 0.2"}},
    {.op = "com.microsoft.SimplifiedLayerNormalization",
     .what = "OfTheRuntime",
     .build =
         [](Tiny& t) {
           tail(t, t.op("com.microsoft.SimplifiedLayerNormalization", {tokens(t), t.w("g", {4})}));
         },
     .units = {"a.1 pqrs", "g.0 pqrs", "b.0 pqrs"},
     .mixes = {"SimplifiedLayerNormalization1: statistics 0.2"}},
    {.op = "com.microsoft.SkipLayerNormalization",
     .what = "TiesBothSummandsAndTheirSum",
     .build =
         [](Tiny& t) {
           const auto all = t.ops("com.microsoft.SkipLayerNormalization",
                                  {tokens(t), tokens(t, "c"), t.w("g", {4}), t.w("h", {4}), t.w("i", {4})}, 4);
           tail(t, t.op("Add", {t.fc(all[0], "w", 4, 4), all[3]}));
         },
     .units = {"a.1 pqrs", "c.1 pqrs", "g.0 pqrs", "h.0 pqrs", "i.0 pqrs", "w.0 pqrs", "w.1 pqrs", "b.0 pqrs"},
     .mixes = {"SkipLayerNormalization2: statistics 0.2"}},
    {.op = "com.microsoft.SkipSimplifiedLayerNormalization",
     .what = "TiesBothSummandsAndTheirSum",
     .build =
         [](Tiny& t) {
           const auto all = t.ops("com.microsoft.SkipSimplifiedLayerNormalization",
                                  {tokens(t), tokens(t, "c"), t.w("g", {4}), t.w("i", {4})}, 4);
           tail(t, t.op("Add", {t.fc(all[0], "w", 4, 4), all[3]}));
         },
     .units = {"a.1 pqrs", "c.1 pqrs", "g.0 pqrs", "i.0 pqrs", "w.0 pqrs", "w.1 pqrs", "b.0 pqrs"},
     .mixes = {"SkipSimplifiedLayerNormalization2: statistics 0.2"}},
    {.op = "LpNormalization",
     .what = "SumsOverItsAxis",
     .build = [](Tiny& t) { tail(t, t.op("LpNormalization", {rows(t)}, {attr("axis", 1)})); },
     .units = {"a.1 pqrs", "b.0 pqrs"},
     .mixes = {"LpNormalization1: sum 0.1"}},
    {.op = "LpNormalization",
     .what = "OverAnotherAxisPasses",
     .build = [](Tiny& t) { tail(t, t.op("LpNormalization", {tokens(t)}, {attr("axis", -2)})); },
     .units = {"a.1 pqrs", "b.0 pqrs"}},
    {.op = "MeanVarianceNormalization",
     .what = "LeavesTheChannelsByDefault",
     .build = [](Tiny& t) { t.out(t.conv(t.op("MeanVarianceNormalization", {image(t)}), "b", 4, 5)); },
     .units = {"a.0 pqrs", "b.1 pqrs"}},
    {.op = "MeanVarianceNormalization",
     .what = "MixesTheAxesItNames",
     .build =
         [](Tiny& t) {
           tail(t, t.op("MeanVarianceNormalization", {tokens(t)}, {attr("axes", Indices{0, -1})}));
         },
     .units = {"a.1 pqrs", "b.0 pqrs"},
     .mixes = {"MeanVarianceNormalization1: statistics 0.2"}},
};

void exponentials(RuleCases& cases) {
  for (const char* op : {"Softmax", "LogSoftmax", "Hardmax"}) {
    const std::string node = std::string(op) + "1";
    cases.push_back({.op = op,
                     .what = "LocksTheLastAxis",
                     .build = [op](Tiny& t) { tail(t, t.op(op, {tokens(t)})); },
                     .units = {"a.1 ABCD", "b.0 ABCD"},
                     .locks = {{"ABCD", Reason::normalised_axis, node}}});
    cases.push_back({.op = op,
                     .what = "OverAnotherAxisPasses",
                     .build = [op](Tiny& t) { tail(t, t.op(op, {tokens(t)}, {attr("axis", 1)})); },
                     .units = {"a.1 pqrs", "b.0 pqrs"}});
    cases.push_back({.op = op,
                     .what = "MeantAllAxesFromThereOnBefore13",
                     .build = [op](Tiny& t) { tail(t, t.op(op, {tokens(t)})); },
                     .units = {"a.1 ABCD", "b.0 ABCD"},
                     .opset = 11});
  }
}

}  // namespace

const RuleCases& norm_cases() {
  static const RuleCases cases = [] {
    RuleCases all = channels;
    all.insert(all.end(), layers.begin(), layers.end());
    exponentials(all);
    return all;
  }();
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Norm, Rules, testing::ValuesIn(norm_cases()), case_name);

}  // namespace coppice::coupling
