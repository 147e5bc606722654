#include "coupling/rule_case.hpp"

// Broadcasting aligns axes from the right; values made from a shape or from nothing have no units of their own.
namespace coppice::coupling {
namespace {

constexpr std::int64_t real = 1;  // float32

void tail(Tiny& t, ValueId h) {
  t.out(t.fc(h, "b", 4, 5));
}
const std::vector<std::string> passes{"a.1 pqrs", "b.0 pqrs"};

void broadcasting(RuleCases& cases) {
  cases.push_back({.op = "Add",
                   .what = "AlignsFromTheRight",
                   .build =
                       [](Tiny& t) {
                         t.out(t.conv(t.op("Add", {image(t), t.w("c", {4, 1, 1})}), "b", 4, 5));
                       },
                   .units = {"a.0 pqrs", "c.0 pqrs", "b.1 pqrs", "c.1 ."}});
  cases.push_back({.op = "Add",
                   .what = "LocksWhatRunsAlongSpace",
                   .build =
                       [](Tiny& t) {
                         t.out(t.conv(t.op("Add", {t.w("c", {4, 4, 1}), image(t)}), "b", 4, 5));
                       },
                   .units = {"a.0 pqrs", "c.0 pqrs", "c.1 ABCD"},
                   .locks = {{"ABCD", Reason::fixed_axis, "Add1"}}});
  cases.push_back({.op = "Mul",
                   .what = "LocksWhatRunsAlongTheBatch",
                   .build =
                       [](Tiny& t) {
                         tail(t, t.op("Mul", {rows(t), t.w("c", {2, 1})}));
                       },
                   .units = {"a.1 pqrs", "c.0 AB", "c.1 ."},
                   .locks = {{"AB", Reason::graph_input, "Mul1"}}});
  cases.push_back({.op = "Mul",
                   .what = "StretchesOneUnitOnlyWhenItStays",
                   .build =
                       [](Tiny& t) {
                         tail(t, t.op("Mul", {rows(t), rows(t, "c", 1)}));
                       },
                   .units = {"a.1 pqrs", "b.0 pqrs", "c.1 A"},
                   .locks = {{"A", Reason::broadcast_slice, "Mul2"}}});
  // [4, 1] and [1, 4]: each axis follows the operand that has it.
  cases.push_back({.op = "Add",
                   .what = "SpansTwoAxes",
                   .build =
                       [](Tiny& t) {
                         const ValueId column = t.op("Unsqueeze", {rows(t), t.ints({2})});
                         const ValueId y = t.op("Add", {column, t.op("Unsqueeze", {rows(t, "c", 6), t.ints({1})})});
                         t.out(t.op("ReduceSum", {t.fc(y, "b", 6, 5), t.ints({1})}));
                       },
                   .units = {"a.1 pqrs", "c.1 uvwxyz", "Add4.1 pqrs", "Add4.2 uvwxyz", "b.0 uvwxyz"}});
  cases.push_back({.op = "Add",
                   .what = "LeavesAScalarAlone",
                   .build =
                       [](Tiny& t) {
                         tail(t, t.op("Add", {rows(t), t.w("c", {1})}));
                       },
                   .units = {"a.1 pqrs", "b.0 pqrs", "c.0 ."}});
}

void made_from_nothing(RuleCases& cases) {
  cases.push_back({.op = "Shape",
                   .what = "HoldsNothing",
                   .build =
                       [](Tiny& t) {
                         const ValueId h = rows(t);
                         tail(t, t.op("Reshape", {h, t.op("Shape", {h})}));
                       },
                   .units = passes});
  cases.push_back({.op = "Size",
                   .what = "HoldsNothing",
                   .build =
                       [](Tiny& t) {
                         const ValueId h = rows(t);
                         tail(t, t.op("Div", {h, t.op("Cast", {t.op("Size", {h})}, {attr("to", real)})}));
                       },
                   .units = passes});
  cases.push_back({.op = "Constant",
                   .what = "IsAWeightLikeAnother",
                   .build =
                       [](Tiny& t) {
                         tail(t,
                              t.op("Add", {rows(t), t.op("Constant", {},
                                                         {attr("value", AttributeValue(tensor::from_doubles(
                                                                            DType::float32, {4}, {{1, 2, 3, 4}})))})}));
                       },
                   .units = {"a.1 pqrs", "Constant1.0 pqrs", "b.0 pqrs"}});
  cases.push_back(
      {.op = "Range",
       .what = "FixesWhatItIsAddedTo",
       .build =
           [](Tiny& t) {
             const ValueId places = t.op("Range", {t.b.real_scalar(0), t.b.real_scalar(4), t.b.real_scalar(1)});
             tail(t, t.op("Add", {rows(t), places}));
           },
       .units = {"a.1 ABCD"},
       .locks = {{"ABCD", Reason::fixed_axis, "Add2"}}});
  for (const char* op : {"RandomNormal", "RandomUniform"})
    cases.push_back({.op = op,
                     .what = "FixesWhatItIsAddedTo",
                     .build =
                         [op](Tiny& t) {
                           tail(t, t.op("Add", {rows(t), t.op(op, {}, {attr("shape", Indices{2, 4})})}));
                         },
                     .units = {"a.1 ABCD"},
                     .locks = {{"ABCD", Reason::fixed_axis, "Add2"}}});
  cases.push_back({.op = "EyeLike",
                   .what = "LocksBothAxes",
                   .build = [](Tiny& t) { tail(t, t.op("EyeLike", {rows(t)})); },
                   .units = {"a.1 ABCD", "b.0 EFGH"},
                   .locks = {{"ABCD", Reason::ordered_axis, "EyeLike1"}, {"EFGH", Reason::fixed_axis, "MatMul2"}}});
  cases.push_back({.op = "ConstantOfShape",
                   .what = "FollowsWhatItMeets",
                   .build =
                       [](Tiny& t) {
                         tail(t, t.op("Add", {t.op("ConstantOfShape", {t.ints({2, 4})}), rows(t)}));
                       },
                   .units = {"a.1 pqrs", "ConstantOfShape0.1 pqrs", "b.0 pqrs", "ConstantOfShape0.0 AB"},
                   .locks = {{"AB", Reason::graph_input, "Add2"}}});
}

}  // namespace

const RuleCases& broadcast_cases() {
  static const RuleCases cases = [] {
    RuleCases all;
    broadcasting(all);
    made_from_nothing(all);
    return all;
  }();
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Broadcast, Rules, testing::ValuesIn(broadcast_cases()), case_name);

}  // namespace coppice::coupling
