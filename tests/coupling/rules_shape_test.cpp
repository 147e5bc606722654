#include "coupling/rule_case.hpp"

// Rearrangements: units keep to their elements.
namespace coppice::coupling {
namespace {

void tail(Tiny& t, ValueId y, std::int64_t width = 4) {
  t.out(t.fc(y, "b", width, 5));
}
void image_tail(Tiny& t, ValueId y, std::int64_t channels = 4) {
  t.out(t.conv(y, "b", channels, 5));
}
// "b.0 ppqq" of "b.0 ", "pq" and 2; and "b.0 pqpq".
std::string each(const char* axis, std::string_view letters, std::size_t times) {
  std::string out = axis;
  for (char c : letters) out.append(times, c);
  return out;
}
std::string again(const char* axis, const std::string& letters, int times) {
  std::string out = axis;
  for (int i = 0; i < times; ++i) out += letters;
  return out;
}

const RuleCases shapes{
    {.op = "Reshape",
     .what = "MergesWithWhatLiesInside",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Reshape", {image(t), t.ints({0, -1})}), 64);
         },
     .units = {"a.0 pqrs", each("b.0 ", "pqrs", 16)}},
    {.op = "Reshape",
     .what = "MergesWithWhatLiesOutside",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Reshape", {tokens(t), t.ints({2, 20})}), 20);
         },
     .units = {"a.1 pqrs", again("b.0 ", "pqrs", 5)}},
    {.op = "Reshape",
     .what = "SplitsIntoAnAxisThatStaysAndOneThatIsCut",
     .build =
         [](Tiny& t) {
           t.out(t.fc(t.op("Reshape", {rows(t, "a", 6), t.ints({2, 2, 3})}), "b", 3, 5));
         },
     .units = {"a.1 pqrpqr", "Reshape1.1 AB", "b.0 pqr"},
     .locks = {{"AB", Reason::graph_output, ""}}},
    {.op = "Reshape",
     .what = "ThatMixesLocks",
     .build =
         [](Tiny& t) {
           t.out(t.op("Reshape", {tokens(t), t.ints({2, 4, 5})}));
         },
     .units = {"a.1 ABCD"},
     .locks = {{"ABCD", Reason::mixed_by_reshape, "Reshape1"}}},
    {.op = "Reshape",
     .what = "ToTheSameShapePasses",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Reshape", {tokens(t), t.ints({2, 5, 4})}));
         },
     .units = {"a.1 pqrs", "b.0 pqrs"}},
    {.op = "Flatten",
     .what = "MergesBehindItsAxis",
     .build = [](Tiny& t) { tail(t, t.op("Flatten", {image(t)}), 64); },
     .units = {"a.0 pqrs", each("b.0 ", "pqrs", 16)}},
    {.op = "Flatten",
     .what = "CountsItsAxisFromTheEnd",
     .build = [](Tiny& t) { tail(t, t.op("Flatten", {tokens(t)}, {attr("axis", -1)})); },
     .units = {"a.1 pqrs", "Flatten1.1 pqrs", "b.0 pqrs"}},
    {.op = "Transpose",
     .what = "PermutesByList",
     .build =
         [](Tiny& t) {
           const ValueId y = t.op("Transpose", {tokens(t)}, {attr("perm", Indices{2, 0, 1})});
           t.b.rename(y, "y");
           tail(t, t.op("Transpose", {y}, {attr("perm", Indices{1, 2, 0})}));
         },
     .units = {"a.1 pqrs", "y.0 pqrs", "y.1 ..", "y.2 .....", "b.0 pqrs"}},
    {.op = "Transpose",
     .what = "ReversesByDefault",
     .build = [](Tiny& t) { tail(t, t.op("Transpose", {t.op("Transpose", {tokens(t)})})); },
     .units = {"a.1 pqrs", "Transpose1.0 pqrs", "Transpose1.2 ..", "b.0 pqrs"}},
    {.op = "Squeeze",
     .what = "OfNamedAxes",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Squeeze", {t.op("Unsqueeze", {rows(t), t.ints({1, 3})}), t.ints({-1, 1})}));
         },
     .units = {"a.1 pqrs", "Unsqueeze1.2 pqrs", "Squeeze2.1 pqrs", "b.0 pqrs"}},
    {.op = "Squeeze",
     .what = "OfEveryAxisOfOne",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Squeeze", {t.op("Unsqueeze", {rows(t), t.ints({0, 1})})}));
         },
     .units = {"a.1 pqrs", "b.0 pqrs"}},
    {.op = "Squeeze",
     .what = "LocksTheUnitItDrops",
     .build =
         [](Tiny& t) {
           t.out(t.op("Squeeze", {rows(t, "a", 1), t.ints({-1})}));
         },
     .units = {"a.1 A"},
     .locks = {{"A", Reason::picked, "Squeeze1"}}},
    {.op = "Squeeze",
     .what = "HadAxesAsAnAttribute",
     .build =
         [](Tiny& t) {
           const ValueId wide = t.op("Unsqueeze", {rows(t)}, {attr("axes", Indices{0})});
           tail(t, t.op("Squeeze", {wide}, {attr("axes", Indices{0})}));
         },
     .units = {"a.1 pqrs", "b.0 pqrs"},
     .opset = 11},
    {.op = "Unsqueeze",
     .what = "AddsAxesAnywhere",
     .build =
         [](Tiny& t) {
           const ValueId y = t.op("Unsqueeze", {rows(t), t.ints({-1, 0})});  // [1, 2, 4, 1]
           image_tail(t, t.op("Transpose", {y}, {attr("perm", Indices{1, 2, 0, 3})}));
         },
     .units = {"a.1 pqrs", "Unsqueeze1.2 pqrs", "Unsqueeze1.3 .", "b.1 pqrs"}},
    {.op = "Expand",
     .what = "PassesAxesThatStay",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Expand", {rows(t), t.ints({7, 1, 4})}));
         },
     .units = {"a.1 pqrs", "Expand1.2 pqrs", "b.0 pqrs"}},
    {.op = "Expand",
     .what = "ToASmallerRankChangesNothing",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Expand", {rows(t), t.ints({1})}));
         },
     .units = {"a.1 pqrs", "b.0 pqrs"}},
    {.op = "Expand",
     .what = "OfOneFollowsWhatItMeets",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Add", {t.op("Expand", {rows(t, "c", 1), t.ints({2, 4})}), rows(t)}));
         },
     .units = {"a.1 pqrs", "Expand1.1 pqrs", "b.0 pqrs", "c.1 A"},
     .locks = {{"A", Reason::broadcast_slice, "Expand1"}}},
    {.op = "Tile",
     .what = "RepeatsTheWholeAxis",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Tile", {rows(t), t.ints({1, 3})}), 12);
         },
     .units = {"a.1 pqrs", "b.0 pqrspqrspqrs"}},
    {.op = "Tile",
     .what = "OfAnotherAxisPasses",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Tile", {rows(t), t.ints({3, 1})}));
         },
     .units = {"a.1 pqrs", "b.0 pqrs"}},
    {.op = "Tile",
     .what = "OfOneFollowsWhatItMeets",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Add", {t.op("Tile", {rows(t, "c", 1), t.ints({1, 4})}), rows(t)}));
         },
     .units = {"a.1 pqrs", "Tile1.1 pqrs", "c.1 A"},
     .locks = {{"A", Reason::broadcast_slice, "Tile1"}}},
};

std::vector<graph::Attribute> along(std::int64_t axis) {
  return {attr("axis", axis)};
}

const RuleCases joints{
    {.op = "Concat",
     .what = "JoinsUnits",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Concat", {rows(t), rows(t, "c", 2)}, along(-1)), 6);
         },
     .units = {"a.1 pqrs", "c.1 uv", "b.0 pqrsuv"}},
    {.op = "Concat",
     .what = "OfTiedPartsRepeatsUnits",
     .build =
         [](Tiny& t) {
           const ValueId h = rows(t);
           tail(t, t.op("Concat", {h, t.op("Neg", {h})}, along(1)), 8);
         },
     .units = {"a.1 pqrs", "b.0 pqrspqrs"}},
    {.op = "Concat",
     .what = "WithTheGraphInputLocksThatPart",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Concat", {t.x("y", {2, 2}), rows(t)}, along(1)), 6);
         },
     .units = {"a.1 pqrs", "b.0 ABpqrs"},
     .locks = {{"AB", Reason::graph_input, "Concat1"}}},
    {.op = "Concat",
     .what = "WithAConstantKeepsItsColumnsApart",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Concat", {rows(t), t.w("c", {2, 3})}, along(1)), 7);
         },
     .units = {"a.1 pqrs", "c.1 uvw", "b.0 pqrsuvw", "c.0 AB"},
     .locks = {{"AB", Reason::graph_input, "Concat1"}}},
    {.op = "Concat",
     .what = "TiesTheOtherAxes",  // a class token in front
     .build =
         [](Tiny& t) {
           tail(t, t.op("Concat", {t.w("c", {2, 1, 4}), tokens(t)}, along(-2)));
         },
     .units = {"a.1 pqrs", "c.2 pqrs", "c.0 AB", "b.0 pqrs"},
     .locks = {{"AB", Reason::graph_input, "Concat1"}}},
    {.op = "DepthToSpace",
     .what = "HasTheChannelInside",
     .build = [](Tiny& t) { image_tail(t, t.op("DepthToSpace", {image(t, "a", 8)}, {attr("blocksize", 2)}), 2); },
     .units = {"a.0 pqpqpqpq", "b.1 pq"}},
    {.op = "DepthToSpace",
     .what = "ByColumnsHasTheChannelOutside",
     .build =
         [](Tiny& t) {
           image_tail(t,
                      t.op("DepthToSpace", {image(t, "a", 8)},
                           {attr("blocksize", 2), attr("mode", AttributeValue(std::string("CRD")))}),
                      2);
         },
     .units = {"a.0 ppppqqqq", "b.1 pq"}},
    {.op = "DepthToSpace",
     .what = "PassesTheBatch",
     .build =
         [](Tiny& t) {
           const ValueId h = t.conv(t.x("x", {4, 3, 4, 4}), "a", 3, 6);
           const ValueId y = t.op("DepthToSpace", {t.op("Transpose", {h}, {attr("perm", Indices{1, 0, 2, 3})})},
                                  {attr("blocksize", 2)});  // [6, 1, 8, 8]
           image_tail(t, t.op("Transpose", {y}, {attr("perm", Indices{1, 0, 2, 3})}), 6);
         },
     .units = {"a.0 pqrstu", "b.1 pqrstu"}},
    {.op = "DepthToSpace",
     .what = "LocksSpace",
     .build = [](Tiny& t) { t.out(t.op("DepthToSpace", {turned(t)}, {attr("blocksize", 2)})); },
     .units = {"a.0 ABCD"},
     .locks = {{"ABCD", Reason::fixed_axis, "DepthToSpace2"}}},
    {.op = "SpaceToDepth",
     .what = "PassesTheBatch",
     .build =
         [](Tiny& t) {
           const ValueId y = t.op("SpaceToDepth", {stacked(t)}, {attr("blocksize", 2)});
           image_tail(t, t.op("Transpose", {y}, {attr("perm", Indices{1, 0, 2, 3})}));
         },
     .units = {"a.0 pqrs", "b.1 pqrs"}},
    {.op = "SpaceToDepth",
     .what = "LocksSpace",
     .build = [](Tiny& t) { t.out(t.op("SpaceToDepth", {turned(t)}, {attr("blocksize", 2)})); },
     .units = {"a.0 ABCD"},
     .locks = {{"ABCD", Reason::fixed_axis, "SpaceToDepth2"}}},
    {.op = "SpaceToDepth",
     .what = "RepeatsTheChannels",
     .build = [](Tiny& t) { image_tail(t, t.op("SpaceToDepth", {image(t)}, {attr("blocksize", 2)}), 16); },
     .units = {"a.0 pqrs", again("b.1 ", "pqrs", 4)}},
};

}  // namespace

const RuleCases& shape_cases() {
  static const RuleCases cases = [] {
    RuleCases all = shapes;
    all.insert(all.end(), joints.begin(), joints.end());
    return all;
  }();
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Shape, Rules, testing::ValuesIn(shape_cases()), case_name);

}  // namespace coppice::coupling
