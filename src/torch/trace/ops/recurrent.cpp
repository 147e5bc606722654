#include "torch/trace/ops/rules.hpp"

namespace coppice::tracing {
namespace {

// What distinguishes the three kinds: `order` lists libtorch's gates as ONNX has them (iofc of ifgo, zrh of rzn).
struct Kind {
  std::string_view op;
  std::vector<std::size_t> order;
  std::vector<Attribute> attributes;
  std::size_t states = 1;
};

struct Layers {
  std::int64_t count = 1, directions = 1;
  bool biases = true, batch_first = false, projects = false;
  std::size_t each() const { return (biases ? 4u : 2u) + (projects ? 1u : 0u); }
};

class Stack {
 public:
  Stack(Site& site, const Kind& kind, const Layers& layers, std::vector<ValueId> weights)
      : site_(site), kind_(kind), layers_(layers), weights_(std::move(weights)) {}

  // One operand of a layer: the parameter of each direction with its gates in ONNX's order, one upon the other.
  ValueId matrices(std::int64_t layer, std::size_t which, const std::string& part) const {
    std::vector<ValueId> rows;
    for (std::int64_t d = 0; d < layers_.directions; ++d) {
      ValueId rows_of_gates = parameter(layer, d, which);
      // What reads the projection of the hidden state, as it reads the state itself.
      if (which == 1 && layers_.projects)
        rows_of_gates = site_.op("MatMul", {rows_of_gates, projection(layer, d)}, {}, part + "_projected");
      rows.push_back(raised(joined(gates(rows_of_gates, part), part + "_gates"), part));
    }
    return joined(std::move(rows), part);
  }

  // [direction, hidden, projected]
  ValueId projections(std::int64_t layer) const {
    std::vector<ValueId> rows;
    for (std::int64_t d = 0; d < layers_.directions; ++d) rows.push_back(raised(projection(layer, d), "weight_hr"));
    return site_.op("Transpose", {joined(std::move(rows), "projections")}, {attr("perm", Ints{0, 2, 1})}, "columns");
  }

  ValueId biases(std::int64_t layer) const {
    std::vector<ValueId> rows;
    for (std::int64_t d = 0; d < layers_.directions; ++d) {
      std::vector<ValueId> both = gates(parameter(layer, d, 2), "bias_ih");
      for (const ValueId gate : gates(parameter(layer, d, 3), "bias_hh")) both.push_back(gate);
      rows.push_back(raised(joined(std::move(both), "bias_gates"), "bias"));
    }
    return joined(std::move(rows), "biases");
  }

 private:
  ValueId parameter(std::int64_t layer, std::int64_t direction, std::size_t which) const {
    return weights_.at(static_cast<std::size_t>(layer * layers_.directions + direction) * layers_.each() + which);
  }
  ValueId projection(std::int64_t layer, std::int64_t direction) const {
    return parameter(layer, direction, layers_.each() - 1);
  }
  // The parts are equal, so that they follow when the parameter shrinks.
  std::vector<ValueId> gates(ValueId parameter, const std::string& part) const {
    const std::size_t count = kind_.order.size();
    if (count == 1) return {parameter};
    const auto parts = site_.ops("Split", {parameter}, count, {attr("axis", 0)}, part + "_split");
    std::vector<ValueId> out;
    for (const std::size_t gate : kind_.order) out.push_back(parts[gate]);
    return out;
  }
  ValueId joined(std::vector<ValueId> parts, const std::string& part) const {
    return parts.size() == 1 ? parts[0] : site_.op("Concat", std::move(parts), {attr("axis", 0)}, part);
  }
  ValueId raised(ValueId value, const std::string& part) const {
    return site_.op("Unsqueeze", {value, site_.constant({0}, part + "_axes")}, {}, part);
  }

  Site& site_;
  const Kind& kind_;
  const Layers& layers_;
  std::vector<ValueId> weights_;
};

// Each layer's part of an initial state; none where it is zero, as ONNX has it by itself.
std::vector<ValueId> parts_of(Site& site, ValueId state, bool zero, std::int64_t layers) {
  const auto count = static_cast<std::size_t>(layers);
  if (zero) return std::vector<ValueId>(count, graph::no_value);
  if (layers == 1) return {state};
  return site.ops("Split", {state}, count, {attr("axis", 0)}, "states");
}

ValueId turned(Site& site, ValueId x, std::string_view part) {
  return site.op("Transpose", {x}, {attr("perm", Ints{1, 0, 2})}, part);
}

// (x, states, parameters, has_biases, layers, dropout, train, bidirectional, batch_first)
bool recurrent(Site& site, const Kind& kind) {
  if (site.is_tensor(1) != (kind.states == 1) || !site.is_list(2) || site.rank(0) != 3) return false;  // packed ones
  Layers layers{site.integer(4), site.flag(7) ? 2 : 1, site.flag(3), site.flag(8)};
  std::vector<ValueId> weights = site.list(2);
  const auto cells = static_cast<std::size_t>(layers.count * layers.directions);
  layers.projects = weights.size() > cells * layers.each();
  if (weights.size() != cells * layers.each()) return false;
  if (site.flag(6) && site.real(5) > 0 && layers.count > 1) return false;
  std::vector<std::vector<ValueId>> initial;
  for (std::size_t k = 0; k < kind.states; ++k) {
    const bool zero = (kind.states == 1 ? site.splat(1) : site.splat(1, k)) == 0.0;
    const ValueId state = zero ? graph::no_value : kind.states == 1 ? site.in(1) : site.list(1).at(k);
    initial.push_back(parts_of(site, state, zero, layers.count));
  }
  // ONNX has no projections: its state is the one before. A given state cannot be taken back to that.
  if (layers.projects && initial[0][0] != graph::no_value) return false;
  const std::int64_t hidden = site.shapes(2).at(layers.projects ? layers.each() - 1 : 1).at(1);
  const Stack stack(site, kind, layers, std::move(weights));
  ValueId x = layers.batch_first ? turned(site, site.in(0), "time_first") : site.in(0);
  std::vector<std::vector<ValueId>> last(kind.states);
  for (std::int64_t layer = 0; layer < layers.count; ++layer) {
    const auto at_layer = static_cast<std::size_t>(layer);
    std::vector<ValueId> inputs{x, stack.matrices(layer, 0, "weight_ih"), stack.matrices(layer, 1, "weight_hh"),
                                layers.biases ? stack.biases(layer) : graph::no_value, graph::no_value};
    for (const auto& state : initial) inputs.push_back(state[at_layer]);
    while (inputs.back() == graph::no_value) inputs.pop_back();
    std::vector<Attribute> attributes = kind.attributes;
    attributes.push_back(attr("direction", std::string(layers.directions == 2 ? "bidirectional" : "forward")));
    attributes.push_back(attr("hidden_size", hidden));
    if (kind.op == "RNN" && layers.directions == 2) {
      auto& functions = std::get<std::vector<std::string>>(attributes[0].value);
      functions.push_back(functions[0]);
    }
    auto out = site.ops(kind.op, std::move(inputs), 1 + kind.states, std::move(attributes));
    if (layers.projects) {
      const ValueId columns = stack.projections(layer);
      for (ValueId* result : {&out[0], &out[1]}) *result = site.op("MatMul", {*result, columns}, {}, "projected");
    }
    // From [time, direction, batch, hidden].
    if (layers.directions == 1) {
      x = site.op("Squeeze", {out[0], site.constant({1}, "axes")}, {}, "output");
    } else {
      const ValueId moved = site.op("Transpose", {out[0]}, {attr("perm", Ints{0, 2, 1, 3})}, "directions");
      x = site.op("Reshape", {moved, site.constant({0, 0, -1}, "shape")}, {}, "output");
    }
    for (std::size_t k = 0; k < kind.states; ++k) last[k].push_back(out[k + 1]);
  }
  site.out(layers.batch_first ? turned(site, x, "batch_first") : x);
  for (std::size_t k = 0; k < kind.states; ++k)
    if (site.wanted(k + 1))
      site.out(last[k].size() == 1 ? last[k][0] : site.op("Concat", last[k], {attr("axis", 0)}, "last"), k + 1);
  return true;
}

bool lstm(Site& site) {
  return recurrent(site, {"LSTM", {0, 3, 1, 2}, {}, 2});
}

bool gru(Site& site) {
  return recurrent(site, {"GRU", {1, 0, 2}, {attr("linear_before_reset", 1)}, 1});
}

bool rnn(Site& site, const char* function) {
  return recurrent(site, {"RNN", {0}, {attr("activations", std::vector<std::string>{function})}, 1});
}

bool rnn_tanh(Site& site) {
  return rnn(site, "Tanh");
}

bool rnn_relu(Site& site) {
  return rnn(site, "Relu");
}

}  // namespace

void add_recurrent_rules(std::vector<RuleEntry>& rules) {
  rules.push_back({"lstm", lstm});
  rules.push_back({"gru", gru});
  rules.push_back({"rnn_tanh", rnn_tanh});
  rules.push_back({"rnn_relu", rnn_relu});
}

}  // namespace coppice::tracing
