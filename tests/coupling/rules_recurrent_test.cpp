#include "coupling/rule_case.hpp"

// A hidden unit is a row of every gate, a column of R, and a place in every state.
namespace coppice::coupling {
namespace {

constexpr std::int64_t hidden = 3;

// [5, 2, 4] as an RNN reads it (time first), with the columns of a [3, 4].
ValueId sequence(Tiny& t) {
  return t.fc(t.x("x", {5, 2, 3}), "a", 3, 4);
}
ValueId none() {
  return graph::no_value;
}
std::vector<graph::Attribute> options(bool both_ways, std::int64_t layout = 0) {
  return {attr("hidden_size", hidden),
          attr("direction", AttributeValue(std::string(both_ways ? "bidirectional" : "forward"))),
          attr("layout", layout)};
}
// The weights W, R and B of so many gates.
std::vector<ValueId> weights(Tiny& t, ValueId x, std::int64_t directions, std::int64_t gates) {
  return {x, t.w("W", {directions, gates * hidden, 4}), t.w("R", {directions, gates * hidden, hidden}),
          t.w("B", {directions, 2 * gates * hidden})};
}
// Y [5, directions, 2, 3] as exporters hand it on: [5, 2, directions * 3].
void tail(Tiny& t, ValueId y, std::int64_t directions) {
  const ValueId turned = t.op("Transpose", {y}, {attr("perm", Indices{0, 2, 1, 3})});
  t.out(t.fc(t.op("Reshape", {turned, t.ints({5, 2, directions * hidden})}), "b", directions * hidden, 5));
}
std::string again(const char* axis, int times) {
  std::string out = axis;
  for (int i = 0; i < times; ++i) out += "uvw";
  return out;
}

struct Cell {
  const char* op;
  int gates;
};

void cells(RuleCases& cases) {
  for (const auto& [op, gates] : {Cell{"LSTM", 4}, Cell{"GRU", 3}, Cell{"RNN", 1}}) {
    const std::string contraction = std::string(op) + "1: contraction 0.2 1.2";
    cases.push_back(
        {.op = op,
         .what = "TiesGatesColumnsAndResult",
         .build = [op = op, gates = gates](
                      Tiny& t) { tail(t, t.ops(op, weights(t, sequence(t), 1, gates), 1, options(false))[0], 1); },
         .units = {"a.1 pqrs", "W.2 pqrs", again("W.1 ", gates), again("R.1 ", gates), "R.2 uvw",
                   again("B.1 ", 2 * gates), "W.0 .", "b.0 uvw"},
         .mixes = {contraction}});
    cases.push_back(
        {.op = op,
         .what = "BothWaysLosesAUnitFromBoth",
         .build = [op = op, gates = gates](
                      Tiny& t) { tail(t, t.ops(op, weights(t, sequence(t), 2, gates), 1, options(true))[0], 2); },
         .units = {"a.1 pqrs", "W.2 pqrs", again("W.1 ", gates), again("R.1 ", gates), "R.2 uvw",
                   again("B.1 ", 2 * gates), "W.0 ..", "b.0 uvwuvw"},
         .mixes = {contraction}});
    cases.push_back({.op = op,
                     .what = "GivesTheLastState",
                     .build =
                         [op = op, gates = gates](Tiny& t) {
                           t.out(
                               t.fc(t.ops(op, weights(t, sequence(t), 2, gates), 2, options(true))[1], "b", hidden, 5));
                         },
                     .units = {again("W.1 ", gates), "R.2 uvw", "b.0 uvw"},
                     .mixes = {contraction}});
    cases.push_back({.op = op,
                     .what = "StartsFromAState",
                     .build =
                         [op = op, gates = gates](Tiny& t) {
                           auto inputs = weights(t, sequence(t), 2, gates);
                           inputs.insert(inputs.end(), {none(), t.w("h", {2, 2, hidden})});
                           tail(t, t.ops(op, inputs, 1, options(true))[0], 2);
                         },
                     .units = {again("W.1 ", gates), "h.2 uvw", "h.0 ..", "h.1 ..", "b.0 uvwuvw"},
                     .mixes = {contraction, std::string(op) + "1: state 5.2"}});
    cases.push_back({.op = op,
                     .what = "WithTheBatchFirst",
                     .build =
                         [op = op, gates = gates](Tiny& t) {
                           const ValueId y = t.ops(op, weights(t, sequence(t), 1, gates), 1, options(false, 1))[0];
                           t.out(t.fc(y, "b", hidden, 5));  // [5, 2, 1, 3]
                         },
                     .units = {"a.1 pqrs", again("W.1 ", gates), "R.2 uvw", "b.0 uvw"},
                     .mixes = {contraction}});
    cases.push_back({.op = op,
                     .what = "LocksTheBatch",
                     .build =
                         [op = op, gates = gates](Tiny& t) {
                           const ValueId h = t.fc(t.x("x", {5, 4, 3}), "a", 3, 2);
                           const ValueId turned = t.op("Transpose", {h}, {attr("perm", Indices{0, 2, 1})});
                           t.out(t.ops(op, weights(t, turned, 1, gates), 1, options(false))[0]);
                         },
                     .units = {"a.1 AB", "W.2 CDEF"},
                     .locks = {{"AB", Reason::fixed_axis, std::string(op) + "2"},
                               {"CDEF", Reason::graph_input, std::string(op) + "2"}}});
    cases.push_back({.op = op,
                     .what = "LocksTime",
                     .build =
                         [op = op, gates = gates](Tiny& t) {
                           const ValueId h = t.fc(t.x("x", {5, 4, 3}), "a", 3, 2);
                           const ValueId turned = t.op("Transpose", {h}, {attr("perm", Indices{2, 0, 1})});
                           t.out(t.ops(op, weights(t, turned, 1, gates), 1, options(false))[0]);
                         },
                     .units = {"a.1 AB"},
                     .locks = {{"AB", Reason::fixed_axis, std::string(op) + "2"}}});
    cases.push_back({.op = op,
                     .what = "LeavesTheGraphInputAlone",
                     .build =
                         [op = op, gates = gates](Tiny& t) {
                           tail(t, t.ops(op, weights(t, t.x("x", {5, 2, 4}), 1, gates), 1, options(false))[0], 1);
                         },
                     .units = {"W.2 ABCD", again("W.1 ", gates), "b.0 uvw"},
                     .locks = {{"ABCD", Reason::graph_input, std::string(op) + "0"}}});
  }
}

const RuleCases long_memory{
    {.op = "LSTM",
     .what = "HasPeepholesAndACell",
     .build =
         [](Tiny& t) {
           auto inputs = weights(t, sequence(t), 2, 4);
           inputs.insert(inputs.end(), {none(), t.w("h", {2, 2, hidden}), t.w("c", {2, 2, hidden}), t.w("P", {2, 9})});
           const auto all = t.ops("LSTM", inputs, 3, options(true));
           t.out(t.fc(all[2], "b", hidden, 5));
         },
     .units = {"W.1 uvwuvwuvwuvw", "P.1 uvwuvwuvw", "P.0 ..", "h.2 uvw", "c.2 uvw", "LSTM1:2.2 uvw", "b.0 uvw"},
     .mixes = {"LSTM1: contraction 0.2 1.2", "LSTM1: state 5.2", "LSTM1: state 6.2"}},
};

}  // namespace

const RuleCases& recurrent_cases() {
  static const RuleCases cases = [] {
    RuleCases all = long_memory;
    cells(all);
    return all;
  }();
  return cases;
}

INSTANTIATE_TEST_SUITE_P(Recurrent, Rules, testing::ValuesIn(recurrent_cases()), case_name);

}  // namespace coppice::coupling
