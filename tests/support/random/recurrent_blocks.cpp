#include "support/random/blocks.hpp"

namespace coppice::test {
namespace {

struct Kind {
  std::string_view op;
  std::int64_t gates;
};

// [N, T, C] through a recurrent operator and back to [N, T, directions * hidden].
Feature recurrent(Maker& m, const Feature& x, Kind kind) {
  const std::int64_t hidden = m.width() / 2, directions = m.one_of({1, 1, 2}), rows = kind.gates * hidden;
  const Feature steps = m.transpose(x, {1, 0, 2});
  std::vector<ValueId> inputs{steps};
  inputs.push_back(m.weight({directions, rows, x[2]}, x[2]));
  inputs.push_back(m.weight({directions, rows, hidden}, hidden));
  if (m.chance(0.8)) inputs.push_back(m.bias({directions, 2 * rows}));
  std::vector<Attribute> attributes{graph::attr("hidden_size", graph::AttributeValue(hidden))};
  if (directions == 2)
    attributes.push_back(text("direction", "bidirectional"));
  else if (m.chance(0.3))
    attributes.push_back(text("direction", "reverse"));
  if (kind.op == "GRU") attributes.push_back(graph::attr("linear_before_reset", static_cast<int>(m.pick(0, 1))));
  const Feature all = m.op(kind.op, inputs, {x[1], directions, x[0], hidden}, attributes);  // [T, D, N, hidden]
  Feature y;
  if (directions == 1) {
    y = m.transpose(m.squeeze(all, {1}), {1, 0, 2});
  } else {
    const Feature moved = m.transpose(all, {2, 0, 1, 3});  // [N, T, D, hidden]
    y = m.reshape(moved, {x[0], x[1], directions * hidden});
  }
  return m.linear(y, m.width());
}

Feature lstm(Maker& m, const Feature& x) {
  return recurrent(m, x, {"LSTM", 4});
}
Feature gru(Maker& m, const Feature& x) {
  return recurrent(m, x, {"GRU", 3});
}
Feature rnn(Maker& m, const Feature& x) {
  return recurrent(m, x, {"RNN", 1});
}

// The last hidden state goes on instead of the sequence of states.
Feature last_state(Maker& m, const Feature& x) {
  const std::int64_t hidden = m.width() / 2;
  const Feature steps = m.transpose(x, {1, 0, 2});
  const ValueId w = m.weight({1, 4 * hidden, x[2]}, x[2]), r = m.weight({1, 4 * hidden, hidden}, hidden);
  const ValueId b = m.bias({1, 8 * hidden});
  const std::vector<ValueId> out =
      m.builder.op_multi("LSTM", {steps, w, r, b}, 3, {graph::attr("hidden_size", graph::AttributeValue(hidden))});
  const Feature state{out[1], {1, x[0], hidden}}, cell{out[2], {1, x[0], hidden}};
  const Feature both = m.concat({m.squeeze(state, {0}), m.squeeze(cell, {0})}, 1);
  const Feature y = m.unsqueeze(m.linear(both, x[2]), {1});
  return m.map("Add", x, {y});
}

constexpr Block blocks[] = {
    {"lstm", lstm},
    {"gru", gru},
    {"rnn", rnn},
    {"lstm's last state", last_state},
};

}  // namespace

std::span<const Block> recurrent_blocks() {
  return blocks;
}

}  // namespace coppice::test
