#include "coupling/rule_case.hpp"

// Selections by known indices follow their units; what data selects stays.
namespace coppice::coupling {
namespace {

void tail(Tiny& t, ValueId y, std::int64_t width = 4) {
  t.out(t.fc(y, "b", width, 5));
}
constexpr std::int64_t int64 = 7;
std::vector<graph::Attribute> along(std::int64_t axis) {
  return {attr("axis", axis)};
}

const RuleCases indices{
    {.op = "Gather",
     .what = "TakesAList",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Gather", {rows(t), t.ints({3, 0, -4})}, along(-1)), 3);
         },
     .units = {"a.1 pqrs", "b.0 spp"}},
    {.op = "Gather",
     .what = "LocksTheOneItPicks",
     .build =
         [](Tiny& t) {
           t.out(t.op("Gather", {rows(t), t.b.int_scalar(-1)}, along(1)));
         },
     .units = {"a.1 pqrA"},
     .locks = {{"A", Reason::picked, "Gather1"}}},
    {.op = "Gather",
     .what = "OfATableKeepsItsRows",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Gather", {t.w("w", {7, 4}), t.x("ids", {2, 5}, DType::int64)}));
         },
     .units = {"w.0 .......", "w.1 pqrs", "b.0 pqrs"}},
    {.op = "Gather",
     .what = "OfATiedTable",
     .build =
         [](Tiny& t) {
           const ValueId w = t.w("w", {7, 4});
           const ValueId h = t.op("Gather", {w, t.x("ids", {2, 5}, DType::int64)});
           t.out(t.op("MatMul", {t.fc(h, "a", 4, 4), t.op("Transpose", {w})}));
         },
     .units = {"w.1 pqrs", "a.0 pqrs", "a.1 pqrs"}},
    {.op = "Gather",
     .what = "ByAMatrixLocks",
     .build =
         [](Tiny& t) {
           const ValueId grid = t.op("Reshape", {t.ints({0, 1, 2, 3}), t.ints({2, 2})});
           tail(t, t.op("Gather", {rows(t), grid}, along(1)), 2);
         },
     .units = {"a.1 ABCD"},
     .locks = {{"ABCD", Reason::indexed_by_data, "Gather2"}}},
    {.op = "Gather",
     .what = "PicksFromAConstantThatOthersContract",
     .build =
         [](Tiny& t) {
           const ValueId h = rows(t);
           const ValueId w = t.w("w", {4, 6});
           const ValueId row = t.op("Gather", {w, t.b.int_scalar(1)});
           tail(t, t.op("Add", {t.op("MatMul", {h, w}), row}), 6);
         },
     .units = {"a.1 pAqr", "w.0 pAqr", "w.1 uvwxyz", "b.0 uvwxyz"},
     .locks = {{"A", Reason::picked, "Gather1"}}},
    {.op = "GatherND",
     .what = "PassesTheTrailingAxes",
     .build =
         [](Tiny& t) {
           tail(t, t.op("GatherND", {tokens(t), t.x("k", {3, 1}, DType::int64)}));
         },
     .units = {"a.1 pqrs", "GatherND1.2 pqrs", "b.0 pqrs"}},
    {.op = "Gather",
     .what = "LocksTheAxesOfItsIndices",
     .build =
         [](Tiny& t) {
           const ValueId places = t.op("Cast", {rows(t)}, {attr("to", int64)});
           tail(t, t.op("Gather", {t.w("w", {7, 6}), places}), 6);
         },
     .units = {"a.1 ABCD", "w.1 uvwxyz", "b.0 uvwxyz"},
     .locks = {{"ABCD", Reason::fixed_axis, "Gather2"}}},
    {.op = "GatherND",
     .what = "LocksTheAxesOfItsIndices",
     .build =
         [](Tiny& t) {
           const ValueId places = t.op("Cast", {rows(t, "k", 2)}, {attr("to", int64)});
           tail(t, t.op("GatherND", {t.w("w", {7, 7, 4}), places}));
         },
     .units = {"k.1 AB", "w.2 pqrs", "b.0 pqrs"},
     .locks = {{"AB", Reason::fixed_axis, "GatherND2"}}},
    {.op = "ScatterND",
     .what = "LocksTheAxesOfItsIndices",
     .build =
         [](Tiny& t) {
           const ValueId places = t.op("Cast", {rows(t, "k", 2)}, {attr("to", int64)});
           tail(t, t.op("ScatterND", {t.w("w", {7, 7, 4}), places, t.x("y", {2, 4})}));
         },
     .units = {"k.1 AB", "w.2 CDEF"},
     .locks = {{"AB", Reason::fixed_axis, "ScatterND2"}, {"CDEF", Reason::graph_input, "ScatterND2"}}},
    {.op = "GatherND",
     .what = "CountsBatchAxes",
     .build =
         [](Tiny& t) {
           tail(t, t.op("GatherND", {tokens(t), t.x("k", {2, 3, 1}, DType::int64)}, {attr("batch_dims", 1)}));
         },
     .units = {"a.1 pqrs", "GatherND1.2 pqrs", "b.0 pqrs"}},
    {.op = "GatherND",
     .what = "LocksWhatItAddresses",
     .build =
         [](Tiny& t) {
           t.out(t.op("GatherND", {rows(t), t.x("k", {3, 2}, DType::int64)}));
         },
     .units = {"a.1 ABCD"},
     .locks = {{"ABCD", Reason::indexed_by_data, "GatherND1"}}},
    {.op = "ScatterND",
     .what = "TiesTheUpdates",
     .build =
         [](Tiny& t) {
           const ValueId updates = t.fc(t.x("y", {7, 3}), "c", 3, 4);
           tail(t, t.op("ScatterND", {tokens(t), t.x("k", {7, 2}, DType::int64), updates}));
         },
     .units = {"a.1 pqrs", "c.1 pqrs", "b.0 pqrs"}},
    {.op = "ScatterND",
     .what = "LocksWhatItAddresses",
     .build =
         [](Tiny& t) {
           tail(t, t.op("ScatterND", {rows(t), t.x("k", {7, 2}, DType::int64), t.w("c", {7})}));
         },
     .units = {"a.1 ABCD", "c.0 ......."},
     .locks = {{"ABCD", Reason::indexed_by_data, "ScatterND1"}}},
    {.op = "Compress",
     .what = "PassesTheOtherAxes",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Compress", {tokens(t), t.w("k", {5}, DType::boolean)}, along(1)));
         },
     .units = {"a.1 pqrs", "b.0 pqrs"}},
    {.op = "Compress",
     .what = "LocksItsAxis",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Compress", {rows(t), t.w("k", {4}, DType::boolean)}, along(-1)));
         },
     .units = {"a.1 ABCD"},
     .locks = {{"ABCD", Reason::indexed_by_data, "Compress1"}}},
    {.op = "Compress",
     .what = "OfEverythingLocksAll",
     .build =
         [](Tiny& t) {
           t.out(t.op("Compress", {rows(t), t.w("k", {8}, DType::boolean)}));
         },
     .units = {"a.1 ABCD"},
     .locks = {{"ABCD", Reason::indexed_by_data, "Compress1"}}},
};

void from_data(RuleCases& cases) {
  const auto add = [&](const std::string& op, std::function<void(Tiny&)> build, std::int64_t opset = 21) {
    cases.push_back({.op = op,
                     .what = "LocksAll",
                     .build = std::move(build),
                     .units = {"a.1 ABCD"},
                     .locks = {{"ABCD", Reason::indexed_by_data, op + "1"}},
                     .opset = opset});
  };
  const auto places = [](Tiny& t) { return t.x("k", {2, 4}, DType::int64); };
  add("GatherElements", [=](Tiny& t) { t.out(t.op("GatherElements", {rows(t), places(t)}, along(1))); });
  add("ScatterElements", [=](Tiny& t) {
    t.out(t.op("ScatterElements", {rows(t), places(t), t.w("c", {2, 4})}, along(1)));
  });
  add(
      "Scatter",
      [=](Tiny& t) {
        t.out(t.op("Scatter", {rows(t), places(t), t.w("c", {2, 4})}, along(1)));
      },
      9);
  add("NonZero", [](Tiny& t) { t.out(t.op("NonZero", {rows(t)})); });
  add("Unique", [](Tiny& t) { t.out(t.op("Unique", {rows(t)})); });
  add("OneHot", [](Tiny& t) { t.out(t.op("OneHot", {rows(t), t.b.int_scalar(3), t.w("c", {2})})); });
}

}  // namespace

const RuleCases& gather_cases() {
  static const RuleCases cases = [] {
    RuleCases all = indices;
    from_data(all);
    return all;
  }();
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Gather, Rules, testing::ValuesIn(gather_cases()), case_name);

}  // namespace coppice::coupling
