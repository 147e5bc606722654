#include <limits>

#include "coupling/rule_case.hpp"

// Ranges follow their units, and padding adds some. Selections by index: rules_gather_test.cpp.
namespace coppice::coupling {
namespace {

void tail(Tiny& t, ValueId y, std::int64_t width = 4) {
  t.out(t.fc(y, "b", width, 5));
}
std::vector<graph::Attribute> along(std::int64_t axis) {
  return {attr("axis", axis)};
}
constexpr std::int64_t far = std::numeric_limits<std::int64_t>::max();

const RuleCases ranges{
    {.op = "Split",
     .what = "BySizes",
     .build =
         [](Tiny& t) {
           const auto parts = t.ops("Split", {rows(t, "a", 5), t.ints({2, 3})}, 2, along(-1));
           t.out(t.fc(parts[0], "c", 2, 5));
           tail(t, parts[1], 3);
         },
     .units = {"a.1 pqrst", "c.0 pq", "b.0 rst"}},
    {.op = "Split",
     .what = "IntoANumberOfParts",
     .build =
         [](Tiny& t) {
           const auto parts = t.ops("Split", {rows(t, "a", 5)}, 2, {attr("axis", 1), attr("num_outputs", 2)});
           t.out(t.fc(parts[0], "c", 3, 5));  // the last part is the smaller one
           tail(t, parts[1], 2);
         },
     .units = {"a.1 pqrst", "c.0 pqr", "b.0 st"}},
    {.op = "Split",
     .what = "IntoHalvesThatMeet",
     .build =
         [](Tiny& t) {
           const auto parts = t.ops("Split", {rows(t)}, 2, along(1));
           tail(t, t.op("Mul", {parts[0], t.op("Sigmoid", {parts[1]})}), 2);
         },
     .units = {"a.1 pqpq", "b.0 pq"},
     .opset = 11},
    {.op = "Split",
     .what = "OfAnotherAxisPasses",
     .build =
         [](Tiny& t) {
           const auto parts = t.ops("Split", {tokens(t), t.ints({2, 3})}, 2, along(1));
           t.out(t.fc(parts[0], "c", 4, 5));
           tail(t, parts[1]);
         },
     .units = {"a.1 pqrs", "c.0 pqrs", "b.0 pqrs"}},
    {.op = "Split",
     .what = "WithAPartLeftOutLocks",
     .build =
         [](Tiny& t) {
           const auto parts = t.ops("Split", {tokens(t), t.ints({2, 1, 2})}, 3, along(1));
           t.b.graph().nodes.back().outputs[1] = graph::no_value;
           t.b.graph().values[static_cast<std::size_t>(parts[1])].producer = -1;
           t.out(t.fc(parts[0], "c", 4, 5));
           tail(t, parts[2]);
         },
     .units = {"a.1 ABCD", "c.0 ABCD", "b.0 EFGH"},
     .locks = {{"ABCD", Reason::unknown_shape, "Split1"}}},
    {.op = "Slice",
     .what = "TakesAPart",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Slice", {rows(t), t.ints({1}), t.ints({3}), t.ints({1})}), 2);
         },
     .units = {"a.1 pqrs", "b.0 qr"}},
    {.op = "Slice",
     .what = "CountsFromTheEnd",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Slice", {rows(t), t.ints({-3}), t.ints({far}), t.ints({-1})}), 3);
         },
     .units = {"a.1 pqrs", "b.0 qrs"}},
    {.op = "Slice",
     .what = "OfAllPasses",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Slice", {rows(t), t.ints({-far}), t.ints({far}), t.ints({1})}));
         },
     .units = {"a.1 pqrs", "b.0 pqrs"}},
    {.op = "Slice",
     .what = "OfTwoAxes",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Slice", {tokens(t), t.ints({2, 1}), t.ints({4, 5}), t.ints({2, 1}), t.ints({1, 2})}), 2);
         },
     .units = {"a.1 pqrs", "b.0 rs"}},
    {.op = "Slice",
     .what = "NamesTheFirstAxesByDefault",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Slice", {rows(t), t.ints({0, 1}), t.ints({1, 3})}), 2);
         },
     .units = {"a.1 pqrs", "b.0 qr"}},
    {.op = "Slice",
     .what = "WithAStepLocks",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Slice", {rows(t), t.ints({-1}), t.ints({-far}), t.ints({1}), t.ints({-1})}));
         },
     .units = {"a.1 ABCD"},
     .locks = {{"ABCD", Reason::strided, "Slice1"}}},
    {.op = "Slice",
     .what = "OfOneIndexNeedsNoStep",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Slice", {rows(t), t.ints({far}), t.ints({2}), t.ints({1}), t.ints({-7})}), 1);
         },
     .units = {"a.1 pqrS", "b.0 S"}},
    {.op = "Slice",
     .what = "HadBoundsAsAttributes",
     .build =
         [](Tiny& t) {
           tail(t,
                t.op("Slice", {rows(t)},
                     {attr("starts", Indices{1}), attr("ends", Indices{-1}), attr("axes", Indices{1})}),
                2);
         },
     .units = {"a.1 pqrs", "b.0 qr"},
     .opset = 9},
};

ValueId padded(Tiny& t, Indices pads, std::vector<graph::Attribute> attributes = {}) {
  return t.op("Pad", {rows(t), t.ints(std::move(pads))}, std::move(attributes));
}

const RuleCases paddings{
    {.op = "Pad",
     .what = "AddsUnits",
     .build =
         [](Tiny& t) {
           tail(t, padded(t, {0, 1, 0, 2}), 7);
         },
     .units = {"a.1 pqrs", "b.0 upqrsvw"}},
    {.op = "Pad",
     .what = "OfAShortcutMeetsTheWiderPath",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Add", {padded(t, {0, 1, 0, 1}), rows(t, "c", 6)}), 6);
         },
     .units = {"a.1 pqrs", "c.1 upqrsv", "b.0 upqrsv"}},
    {.op = "Pad",
     .what = "CropsToo",
     .build =
         [](Tiny& t) {
           tail(t, padded(t, {0, -1, 0, 2}), 5);
         },
     .units = {"a.1 pqrs", "b.0 qrsuv"}},
    {.op = "Pad",
     .what = "OfNamedAxes",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Pad", {rows(t), t.ints({0, 1}), t.b.real_scalar(0), t.ints({-1})}), 5);
         },
     .units = {"a.1 pqrs", "b.0 pqrsu"}},
    {.op = "Pad",
     .what = "OfAnotherAxisPasses",
     .build =
         [](Tiny& t) {
           tail(t, padded(t, {1, 0, 1, 0}));
         },
     .units = {"a.1 pqrs", "b.0 pqrs"}},
    {.op = "Pad",
     .what = "ByReflectionLocks",
     .build =
         [](Tiny& t) {
           tail(t, padded(t, {0, 1, 0, 1}, {attr("mode", AttributeValue(std::string("reflect")))}), 6);
         },
     .units = {"a.1 ABCD"},
     .locks = {{"ABCD", Reason::ordered_axis, "Pad1"}}},
    {.op = "Pad",
     .what = "HadPadsAsAnAttribute",
     .build =
         [](Tiny& t) {
           tail(t, t.op("Pad", {rows(t)}, {attr("pads", Indices{0, 1, 0, 0})}), 5);
         },
     .units = {"a.1 pqrs", "b.0 upqrs"},
     .opset = 10},
};

}  // namespace

const RuleCases& select_cases() {
  static const RuleCases cases = [] {
    RuleCases all = ranges;
    all.insert(all.end(), paddings.begin(), paddings.end());
    return all;
  }();
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Select, Rules, testing::ValuesIn(select_cases()), case_name);

}  // namespace coppice::coupling
