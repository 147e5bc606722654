#include "coupling/rule_case.hpp"

// Reductions mix the axes they drop; orders along an axis lock it.
namespace coppice::coupling {
namespace {

constexpr std::int64_t real = 1;

void tail(Tiny& t, ValueId y) {
  t.out(t.fc(y, "b", 4, 5));
}

struct Reduction {
  const char* op;
  const char* way;
};
constexpr Reduction reductions[] = {
    {"ReduceSum", "sum"},      {"ReduceL1", "sum"},
    {"ReduceL2", "sum"},       {"ReduceSumSquare", "sum"},
    {"ReduceLogSum", "sum"},   {"ReduceMean", "mean"},
    {"ReduceMax", "max"},      {"ReduceMin", "min"},
    {"ReduceProd", "product"}, {"ReduceLogSumExp", "exponential"},
};

void reduce(RuleCases& cases) {
  for (const Reduction& r : reductions) {
    const std::string op = r.op;
    const auto mixed = [&](const char* place) { return std::vector<std::string>{op + "1: " + r.way + " " + place}; };
    cases.push_back({.op = op,
                     .what = "MixesItsAxis",
                     .build =
                         [op](Tiny& t) {  // a gate for every row, stretched again
                           const ValueId h = rows(t);
                           tail(t, t.op("Mul", {h, t.op(op, {h, t.ints({-1})})}));
                         },
                     .units = {"a.1 pqrs", "b.0 pqrs", op + "1.1 ."},
                     .mixes = mixed("0.1")});
    cases.push_back({.op = op,
                     .what = "OverAnotherAxisPasses",
                     .build =
                         [op](Tiny& t) {
                           tail(t, t.op(op, {tokens(t), t.ints({1})}));
                         },
                     .units = {"a.1 pqrs", op + "1.2 pqrs", "b.0 pqrs"}});
    cases.push_back({.op = op,
                     .what = "WithoutKeptAxesShifts",
                     .build =
                         [op](Tiny& t) {
                           tail(t, t.op(op, {tokens(t), t.ints({-2})}, {attr("keepdims", 0)}));
                         },
                     .units = {"a.1 pqrs", op + "1.1 pqrs", "b.0 pqrs"}});
    cases.push_back({.op = op,
                     .what = "OfEverythingMixesAll",
                     .build = [op](Tiny& t) { t.out(t.op(op, {tokens(t)}, {attr("keepdims", 0)})); },
                     .units = {"a.1 pqrs"},
                     .mixes = mixed("0.2")});
    cases.push_back({.op = op,
                     .what = "OfNoAxesPasses",
                     .build =
                         [op](Tiny& t) {
                           tail(t, t.op(op, {rows(t), t.ints({})}, {attr("noop_with_empty_axes", 1)}));
                         },
                     .units = {"a.1 pqrs", "b.0 pqrs"}});
    cases.push_back({.op = op,
                     .what = "HadAxesAsAnAttribute",
                     .build = [op](Tiny& t) { t.out(t.op(op, {tokens(t)}, {attr("axes", Indices{2})})); },
                     .units = {"a.1 pqrs"},
                     .mixes = mixed("0.2"),
                     .opset = 11});
  }
}

const RuleCases orders{
    {.op = "ArgMax",
     .what = "LocksItsAxis",
     .build = [](Tiny& t) { t.out(t.op("ArgMax", {rows(t)}, {attr("axis", -1)})); },
     .units = {"a.1 ABCD"},
     .locks = {{"ABCD", Reason::ordered_axis, "ArgMax1"}}},
    {.op = "ArgMax",
     .what = "OverAnotherAxisPasses",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Cast", {t.op("ArgMax", {tokens(t)}, {attr("axis", 1), attr("keepdims", 0)})},
                        {attr("to", real)}));
         },
     .units = {"a.1 pqrs", "ArgMax1.1 pqrs", "b.0 pqrs"}},
    {.op = "ArgMin",
     .what = "LocksTheFirstAxisByDefault",
     .build = [](Tiny& t) { t.out(t.op("ArgMin", {t.op("Transpose", {rows(t)})})); },
     .units = {"a.1 ABCD"},
     .locks = {{"ABCD", Reason::ordered_axis, "ArgMin2"}}},
    {.op = "ArgMin",
     .what = "OverAnotherAxisPasses",
     .build =
         [](Tiny& t) { tail(t, t.op("Cast", {t.op("ArgMin", {tokens(t)}, {attr("axis", -2)})}, {attr("to", real)})); },
     .units = {"a.1 pqrs", "ArgMin1.2 pqrs", "b.0 pqrs"}},
    {.op = "TopK",
     .what = "LocksTheLastAxisByDefault",
     .build =
         [](Tiny& t) {
           t.out(t.ops("TopK", {rows(t), t.ints({2})}, 2)[0]);
         },
     .units = {"a.1 ABCD", "TopK1:0.1 .."},
     .locks = {{"ABCD", Reason::ordered_axis, "TopK1"}}},
    {.op = "TopK",
     .what = "OverAnotherAxisPasses",
     .build =
         [](Tiny& t) {
           tail(t, t.ops("TopK", {tokens(t), t.ints({2})}, 2, {attr("axis", 1)})[0]);
         },
     .units = {"a.1 pqrs", "TopK1:0.2 pqrs", "TopK1:1.2 pqrs", "b.0 pqrs"}},
    {.op = "CumSum",
     .what = "LocksItsAxis",
     .build =
         [](Tiny& t) {
           tail(t, t.op("CumSum", {rows(t), t.b.int_scalar(-1)}));
         },
     .units = {"a.1 ABCD", "b.0 EFGH"},
     .locks = {{"ABCD", Reason::ordered_axis, "CumSum1"}, {"EFGH", Reason::fixed_axis, "MatMul2"}}},
    {.op = "CumSum",
     .what = "OverAnotherAxisPasses",
     .build =
         [](Tiny& t) {
           tail(t, t.op("CumSum", {tokens(t), t.b.int_scalar(1)}));
         },
     .units = {"a.1 pqrs", "b.0 pqrs"}},
    {.op = "CumSum",
     .what = "OverAnAxisFromDataLocksAll",
     .build =
         [](Tiny& t) {
           tail(t, t.op("CumSum", {tokens(t), t.x("k", {}, DType::int64)}));
         },
     .units = {"a.1 ABCD"},
     .locks = {{"ABCD", Reason::indexed_by_data, "CumSum1"}}},
    {.op = "ReverseSequence",
     .what = "PassesWhatIsNeitherTimeNorBatch",
     .build =
         [](Tiny& t) {
           tail(t, t.op("ReverseSequence", {tokens(t), t.x("k", {5}, DType::int64)}));
         },
     .units = {"a.1 pqrs", "b.0 pqrs"}},
    {.op = "ReverseSequence",
     .what = "LocksTime",
     .build =
         [](Tiny& t) {
           tail(t, t.op("ReverseSequence", {rows(t), t.x("k", {2}, DType::int64)},
                        {attr("time_axis", 1), attr("batch_axis", 0)}));
         },
     .units = {"a.1 ABCD"},
     .locks = {{"ABCD", Reason::ordered_axis, "ReverseSequence1"}}},
    {.op = "ReverseSequence",
     .what = "LocksTheBatch",
     .build =
         [](Tiny& t) {
           tail(t, t.op("ReverseSequence", {rows(t), t.x("k", {4}, DType::int64)}));
         },
     .units = {"a.1 ABCD"},
     .locks = {{"ABCD", Reason::ordered_axis, "ReverseSequence1"}}},
    {.op = "Trilu",
     .what = "LocksTheLastTwoAxes",
     .build = [](Tiny& t) { tail(t, t.op("Trilu", {tokens(t)})); },
     .units = {"a.1 ABCD"},
     .locks = {{"ABCD", Reason::ordered_axis, "Trilu1"}}},
    {.op = "Trilu",
     .what = "PassesTheOthers",
     .build =
         [](Tiny& t) {
           const ValueId first = t.op("Transpose", {tokens(t)}, {attr("perm", Indices{2, 0, 1})});
           tail(t, t.op("Transpose", {t.op("Trilu", {first})}, {attr("perm", Indices{1, 2, 0})}));
         },
     .units = {"a.1 pqrs", "b.0 pqrs"}},
};

}  // namespace

const RuleCases& reduce_cases() {
  static const RuleCases cases = [] {
    RuleCases all;
    reduce(all);
    all.insert(all.end(), orders.begin(), orders.end());
    return all;
  }();
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Reduce, Rules, testing::ValuesIn(reduce_cases()), case_name);

}  // namespace coppice::coupling
