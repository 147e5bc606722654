#include "support/mixing/common.hpp"
#include "support/mixing_graphs.hpp"

namespace coppice::test {
namespace {

using coupling::Mixing;

constexpr std::int64_t hidden = 8;

// (frames, 2, hidden) out of `op` with `gates` gates; `state` is the initial one, or none.
Feature cell(Maker& m, std::string_view op, std::int64_t gates, const Feature& steps, ValueId state,
             std::vector<Attribute> more = {}) {
  more.push_back(graph::attr("hidden_size", static_cast<int>(hidden)));
  const std::int64_t rows = gates * hidden;
  const Feature all = m.op(op,
                           {steps, m.weight({1, rows, 7}, 7), m.weight({1, rows, hidden}, hidden),
                            m.bias({1, 2 * rows}), graph::no_value, state},
                           {frames, 1, 2, hidden}, std::move(more));
  return m.squeeze(all, {1});
}

// The state comes out of the first frame, through a function.
void gru_from(Maker& m, std::string_view function, bool summed) {
  const Feature x = shared_input(m);
  const Feature steps = m.transpose(x, {1, 0, 2});
  const Feature first = m.linear(m.slice(steps, 0, 0, 1), hidden);
  const Feature y = cell(m, "GRU", 3, steps, m.map(function, first));
  if (summed)
    m.output(m.reduce("ReduceSum", y, {2}, false), "sums");
  else
    head(m, y);
}
void state_of_tanh(Maker& m) {
  gru_from(m, "Tanh", true);
}
void state_of_sigmoid(Maker& m) {
  gru_from(m, "Sigmoid", true);
}
// The column of the recurrent weight and the next weight's row are zero: nobody hears of the state.
void state_of_sigmoid_to_a_weight(Maker& m) {
  gru_from(m, "Sigmoid", false);
}
// A state that is a parameter is zeroed with the rest.
void state_parameter(Maker& m) {
  const Feature steps = m.transpose(shared_input(m), {1, 0, 2});
  m.output(m.reduce("ReduceSum", cell(m, "RNN", 1, steps, m.values("state", {1, 2, hidden}, 0.5, 0.5)), {2}, false),
           "sums");
}
void two_states(Maker& m, std::string_view function) {
  const Feature x = shared_input(m);
  const Feature steps = m.transpose(x, {1, 0, 2});
  const Feature first = m.slice(steps, 0, 0, 1);
  const Feature h = m.map("Tanh", m.linear(first, hidden)), c = m.map(function, m.linear(first, hidden));
  const Feature all = m.op("LSTM",
                           {steps, m.weight({1, 4 * hidden, 7}, 7), m.weight({1, 4 * hidden, hidden}, hidden),
                            m.bias({1, 8 * hidden}), graph::no_value, h, c},
                           {frames, 1, 2, hidden}, {graph::attr("hidden_size", static_cast<int>(hidden))});
  m.output(m.reduce("ReduceSum", m.squeeze(all, {1}), {2}, false), "sums");
}
void two_states_zero(Maker& m) {
  two_states(m, "Relu");
}
void two_states_cell_not_zero(Maker& m) {
  two_states(m, "Exp");
}
// No state is given, but the activation itself leaves zero.
void rnn_with(Maker& m, std::string_view activation) {
  const Feature steps = m.transpose(shared_input(m), {1, 0, 2});
  const Attribute names = graph::attr("activations", graph::AttributeValue(std::vector{std::string(activation)}));
  m.output(m.reduce("ReduceSum", cell(m, "RNN", 1, steps, graph::no_value, {names}), {2}, false), "sums");
}
void relu_cell(Maker& m) {
  rnn_with(m, "Relu");
}
void sigmoid_cell(Maker& m) {
  rnn_with(m, "Sigmoid");
}

void quantised(Maker& m, const Feature& x) {
  const std::vector<ValueId> q = m.builder.op_multi("DynamicQuantizeLinear", {x}, 3);
  head(m, m.op("DequantizeLinear", {q[0], q[1], q[2]}, x.shape));
}
// The range always has zero in it.
void range_of_relu(Maker& m) {
  quantised(m, m.map("Relu", features(m)));
}
// What stays is below exp(-1), what is removed is exp(0).
void range_of_exponentials(Maker& m) {
  const Feature distance = m.map("Add", m.map("Abs", features(m)), {m.values("offset", {12}, 0.1, 2)});
  quantised(m, m.map("Exp", m.map("Neg", distance)));
}

}  // namespace

std::vector<MixingGraph> mixing_states() {
  const Leak sum{"ReduceSum", Mixing::sum};
  const auto state = [](std::string_view op) { return Leak{op, Mixing::state}; };
  return {
      {"state_of_tanh", Mixing::state, state_of_tanh},
      {"state_of_sigmoid", Mixing::state, state_of_sigmoid, {state("GRU"), sum}},
      {"state_of_sigmoid_to_a_weight", Mixing::state, state_of_sigmoid_to_a_weight, {state("GRU")}, Felt::no},
      {"state_parameter", Mixing::state, state_parameter},
      {"two_states_zero", Mixing::state, two_states_zero},
      {"two_states_cell_not_zero", Mixing::state, two_states_cell_not_zero, {state("LSTM"), sum}},
      {"relu_cell", Mixing::state, relu_cell},
      {"sigmoid_cell", Mixing::state, sigmoid_cell, {sum}},
      {"range_of_relu", Mixing::range, range_of_relu, {}, Felt::yes, 17, true},
      {"range_of_exponentials",
       Mixing::range,
       range_of_exponentials,
       {{"DynamicQuantizeLinear", Mixing::range}},
       Felt::yes,
       17,
       true},
  };
}

}  // namespace coppice::test
