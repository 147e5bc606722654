#include "coupling/rule_case.hpp"

// Convolutions: X's channels are the weight's inputs, the result's are its outputs.
namespace coppice::coupling {
namespace {

// From the tested node to the end of the graph.
void tail(Tiny& t, ValueId y, std::int64_t channels) {
  t.out(t.conv(y, "b", channels, 5));
}
ValueId grouped(Tiny& t, const char* op, ValueId x, const graph::Shape& weight, std::int64_t group) {
  return t.op(op, {x, t.w("w", weight)}, {attr("group", group)});
}

const RuleCases whole{
    {.op = "Conv",
     .what = "ContractsInputsAndMakesOutputs",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Conv", {image(t), t.w("w", {6, 4, 3, 3}), t.w("c", {6})}), 6);
         },
     .units = {"a.0 pqrs", "w.1 pqrs", "w.0 uvwxyz", "c.0 uvwxyz", "b.1 uvwxyz", "w.2 ...", "w.3 ...", "a.1 ABC",
               "b.0 DEFGH"},
     .locks = {{"ABC", Reason::graph_input, "Conv0"}, {"DEFGH", Reason::graph_output, ""}},
     .mixes = {"Conv1: contraction 0.1 1.1", "Conv2: contraction 0.1 1.1"}},
    {.op = "Conv",
     .what = "OfOneSpaceAxis",
     .build =
         [](Tiny& t) {
           const ValueId h = t.op("Conv", {t.x("x", {2, 3, 8}), t.w("a", {4, 3, 3})});
           t.out(t.op("Conv", {h, t.w("b", {5, 4, 3})}));
         },
     .units = {"a.0 pqrs", "b.1 pqrs", "a.2 ...", "Conv0.2 ......"},
     .mixes = {"Conv1: contraction 0.1 1.1"}},
    {.op = "Conv",
     .what = "TiesTheReadersOfOneWeight",
     .build =
         [](Tiny& t) {
           const ValueId w = t.w("w", {4, 4, 1, 1});
           tail(t, t.op("Conv", {t.op("Conv", {image(t), w}), w}), 4);
         },
     .units = {"a.0 pqrs", "w.0 pqrs", "w.1 pqrs", "b.1 pqrs"},
     .mixes = {"Conv1: contraction 0.1 1.1", "Conv2: contraction 0.1 1.1", "Conv3: contraction 0.1 1.1"}},
    {.op = "Conv",
     .what = "LocksAChannelAxisThatBecomesSpace",
     .build =
         [](Tiny& t) {
           const ValueId turned = t.op("Transpose", {image(t)}, {attr("perm", Indices{0, 2, 1, 3})});
           tail(t, turned, 4);
         },
     .units = {"a.0 ABCD", "b.1 EFGH"},
     .locks = {{"ABCD", Reason::fixed_axis, "Conv2"}, {"EFGH", Reason::fixed_axis, "Conv2"}}},
    {.op = "com.microsoft.FusedConv",
     .what = "AddsAResult",
     .build =
         [](Tiny& t) {
           const ValueId h = image(t);
           tail(t, t.op("com.microsoft.FusedConv", {h, t.w("w", {4, 4, 1, 1}), t.w("c", {4}), h}), 4);
         },
     .units = {"a.0 pqrs", "w.0 pqrs", "w.1 pqrs", "c.0 pqrs", "b.1 pqrs"},
     .mixes = {"FusedConv1: contraction 0.1 1.1"}},
    {.op = "com.microsoft.FusedConv",
     .what = "LocksSpaceOfWhatItAdds",
     .build =
         [](Tiny& t) {
           tail(t, t.op("com.microsoft.FusedConv", {image(t), t.w("w", {4, 4, 1, 1}), graph::no_value, turned(t, "c")}),
                4);
         },
     .units = {"a.0 pqrs", "c.0 ABCD", "w.0 EFGH"},
     .locks = {{"ABCD", Reason::fixed_axis, "FusedConv3"}, {"EFGH", Reason::fixed_axis, "FusedConv3"}},
     .mixes = {"FusedConv3: contraction 0.1 1.1"}},
    {.op = "com.microsoft.FusedConv",
     .what = "MeetsTheBatchOfWhatItAdds",
     .build =
         [](Tiny& t) {
           const ValueId y = t.op("com.microsoft.FusedConv",
                                  {t.x("y", {4, 3, 4, 4}), t.w("w", {2, 3, 1, 1}), graph::no_value, stacked(t, "c")});
           tail(t, y, 2);
         },
     .units = {"c.0 ABCD"},
     .locks = {{"ABCD", Reason::graph_input, "FusedConv2"}}},
    {.op = "com.microsoft.FusedConv",
     .what = "WithChannelsLastIsNotKnown",
     .build =
         [](Tiny& t) {
           const ValueId h =
               t.op("com.microsoft.FusedConv", {image(t), t.w("w", {4, 4, 1, 1})}, {attr("channels_last", 1)});
           tail(t, h, 4);
         },
     .units = {"a.0 ABCD"},
     .locks = {{"ABCD", Reason::unknown_operator, "FusedConv1"}}},
};

// Output channel o belongs to group o / (outputs / group).
const RuleCases groups{
    {.op = "Conv",
     .what = "DepthwiseTiesChannelToChannel",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Conv", {image(t), t.w("w", {4, 1, 3, 3}), t.w("c", {4})}, {attr("group", 4)}), 4);
         },
     .units = {"a.0 pqrs", "w.0 pqrs", "w.1 .", "c.0 pqrs", "b.1 pqrs"},
     .mixes = {"Conv2: contraction 0.1 1.1"}},
    {.op = "Conv",
     .what = "DepthwiseMultiplierRepeatsChannels",
     .build =
         [](Tiny& t) {
           tail(t, grouped(t, "Conv", image(t), {8, 1, 3, 3}, 4), 8);
         },
     .units = {"a.0 pqrs", "w.0 ppqqrrss", "b.1 ppqqrrss"},
     .mixes = {"Conv2: contraction 0.1 1.1"}},
    {.op = "Conv",
     .what = "DepthwiseOnTheGraphInputIsLocked",
     .build =
         [](Tiny& t) {
           tail(t, grouped(t, "Conv", t.x("x", {2, 4, 4, 4}), {4, 1, 3, 3}, 4), 4);
         },
     .units = {"w.0 ABCD", "b.1 ABCD"},
     .locks = {{"ABCD", Reason::graph_input, "Conv0"}},
     .mixes = {"Conv1: contraction 0.1 1.1"}},
    {.op = "Conv",
     .what = "DepthwiseReadsMergedAxes",  // [2, 4, 2, 8] -> [2, 8, 8]: channel c of 4 became 2c and 2c + 1
     .build =
         [](Tiny& t) {
           const ValueId flat = t.op("Reshape", {image(t), t.ints({2, 16, 4})});
           const ValueId y = t.op("Conv", {flat, t.w("w", {16, 1, 3})}, {attr("group", 16)});
           t.out(t.op("Conv", {y, t.w("b", {5, 16, 1})}));
         },
     .units = {"a.0 pqrs", "w.0 ppppqqqqrrrrssss", "b.1 ppppqqqqrrrrssss"},
     .mixes = {"Conv3: contraction 0.1 1.1"}},
    {.op = "Conv",
     .what = "DepthwiseOfALockedAxisIsLocked",
     .build =
         [](Tiny& t) {
           const ValueId flat = t.op("Reshape", {t.op("Softmax", {image(t)}, {attr("axis", 1)}), t.ints({2, 16, 4})});
           const ValueId y = t.op("Conv", {flat, t.w("w", {16, 1, 3})}, {attr("group", 16)});
           t.out(t.op("ReduceMax", {y, t.ints({1})}));
         },
     .units = {"a.0 ABCD", "w.0 EFGHIJKLMNOPQRST"},
     .locks = {{"ABCD", Reason::normalised_axis, "Softmax1"}, {"EFGHIJKLMNOPQRST", Reason::fixed_axis, "Conv3"}}},
    {.op = "Conv",
     .what = "GroupedTiesEqualOffsets",
     .build =
         [](Tiny& t) {
           tail(t, grouped(t, "Conv", image(t), {6, 2, 1, 1}, 2), 6);
         },
     .units = {"a.0 pqpq", "w.1 pq", "w.0 uvwuvw", "b.1 uvwuvw"},
     .mixes = {"Conv1: contraction 0.1 1.1", "Conv2: contraction 0.1 1.1"}},
    {.op = "Conv",
     .what = "GroupedLosesWholeGroupsByOption",
     .build =
         [](Tiny& t) {
           tail(t, grouped(t, "Conv", image(t), {6, 2, 1, 1}, 2), 6);
         },
     .units = {"a.0 ppqq", "w.1 AB", "w.0 pppqqq", "b.1 pppqqq"},
     .locks = {{"AB", Reason::split_factor, "Conv1"}},
     .mixes = {"Conv1: contraction 0.1 1.1", "Conv2: contraction 0.1 1.1"},
     .options = {.whole_groups = true}},
    {.op = "Conv",
     .what = "GroupedOnTheGraphInputKeepsItsInputs",
     .build =
         [](Tiny& t) {
           tail(t, grouped(t, "Conv", t.x("x", {2, 4, 4, 4}), {6, 2, 1, 1}, 2), 6);
         },
     .units = {"w.1 AB", "w.0 uvwuvw", "b.1 uvwuvw"},
     .locks = {{"AB", Reason::graph_input, "Conv0"}},
     .mixes = {"Conv1: contraction 0.1 1.1"}},
    {.op = "Conv",
     .what = "WholeGroupsOfTheGraphInputStay",
     .build =
         [](Tiny& t) {
           tail(t, grouped(t, "Conv", t.x("x", {2, 4, 4, 4}), {6, 2, 1, 1}, 2), 6);
         },
     .units = {"w.1 AB", "w.0 CDEFGH"},
     .locks = {{"AB", Reason::split_factor, "Conv0"}, {"CDEFGH", Reason::graph_input, "Conv0"}},
     .mixes = {"Conv1: contraction 0.1 1.1"},
     .options = {.whole_groups = true}},
};

// The weight is [inputs, outputs a group, ...].
const RuleCases transposed{
    {.op = "ConvTranspose",
     .what = "ContractsItsFirstAxis",
     .build =
         [](Tiny& t) {
           tail(t, t.op("ConvTranspose", {image(t), t.w("w", {4, 6, 2, 2}), t.w("c", {6})}), 6);
         },
     .units = {"a.0 pqrs", "w.0 pqrs", "w.1 uvwxyz", "c.0 uvwxyz", "b.1 uvwxyz", "w.2 .."},
     .mixes = {"ConvTranspose1: contraction 0.1 1.0"}},
    {.op = "ConvTranspose",
     .what = "GroupedTiesEqualOffsets",
     .build =
         [](Tiny& t) {
           tail(t, t.op("ConvTranspose", {image(t), t.w("w", {4, 3, 2, 2}), t.w("c", {6})}, {attr("group", 2)}), 6);
         },
     .units = {"a.0 pqpq", "w.0 pqpq", "w.1 uvw", "c.0 uvwuvw", "b.1 uvwuvw"},
     .mixes = {"ConvTranspose1: contraction 0.1 1.0"}},
    {.op = "ConvTranspose",
     .what = "GroupedOnTheGraphInputKeepsItsInputs",
     .build =
         [](Tiny& t) {
           tail(t, grouped(t, "ConvTranspose", t.x("x", {2, 4, 4, 4}), {4, 3, 2, 2}, 2), 6);
         },
     .units = {"w.0 ABCD", "w.1 uvw", "b.1 uvwuvw"},
     .locks = {{"ABCD", Reason::graph_input, "ConvTranspose0"}}},
    {.op = "ConvTranspose",
     .what = "DepthwiseTiesChannelToChannel",
     .build =
         [](Tiny& t) {
           tail(t, grouped(t, "ConvTranspose", image(t), {4, 1, 2, 2}, 4), 4);
         },
     .units = {"a.0 pqrs", "w.0 pqrs", "w.1 .", "b.1 pqrs"}},
    {.op = "ConvTranspose",
     .what = "DepthwiseMultiplierStays",
     .build =
         [](Tiny& t) {
           tail(t, grouped(t, "ConvTranspose", image(t), {4, 2, 2, 2}, 4), 8);
         },
     .units = {"a.0 pqrs", "w.0 pqrs", "w.1 ..", "b.1 ppqqrrss"}},
    {.op = "ConvTranspose",
     .what = "DepthwiseMultiplierStaysForOtherReaders",
     .build =
         [](Tiny& t) {
           const ValueId other = t.op("ConvTranspose", {image(t, "c"), t.w("w", {4, 2, 2, 2})});
           t.out(t.conv(other, "d", 2, 5));
           tail(t, t.op("ConvTranspose", {image(t), t.b.graph().find("w")}, {attr("group", 4)}), 8);
         },
     .units = {"c.0 pqrs", "a.0 pqrs", "w.0 pqrs", "w.1 AB", "d.1 AB", "b.1 ppqqrrss"},
     .locks = {{"AB", Reason::split_factor, "ConvTranspose4"}},
     .mixes = {"ConvTranspose1: contraction 0.1 1.0"}},
};

}  // namespace

const RuleCases& conv_cases() {
  static const RuleCases cases = [] {
    RuleCases all = whole;
    all.insert(all.end(), groups.begin(), groups.end());
    all.insert(all.end(), transposed.begin(), transposed.end());
    return all;
  }();
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Conv, Rules, testing::ValuesIn(conv_cases()), case_name);

}  // namespace coppice::coupling
