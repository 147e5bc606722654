#include "torch/kernels/recurrent.hpp"

#include "coppice/base/error.hpp"

#include "torch/kernels/kernels.hpp"

namespace coppice::executor {
namespace {

using at::Tensor;

// A node: one or two directions, which may have activations of their own.
struct Layer {
  std::vector<Recurrent> directions;
  bool first_reversed = false, batch_first = false;
};

std::vector<std::string> default_activations(Recurrent::Cell cell) {
  switch (cell) {
    case Recurrent::Cell::rnn:
      return {"Tanh"};
    case Recurrent::Cell::gru:
      return {"Sigmoid", "Tanh"};
    default:
      return {"Sigmoid", "Tanh", "Tanh"};
  }
}

std::vector<std::string> activation_names(const Build& build, Recurrent::Cell cell, std::size_t directions) {
  const std::vector<std::string> fallback = default_activations(cell);
  std::vector<std::string> names;
  if (const graph::Attribute* given = build.node().find("activations")) {
    if (!std::holds_alternative<std::vector<std::string>>(given->value)) throw Error("activations: expected names");
    names = std::get<std::vector<std::string>>(given->value);
  } else {
    for (std::size_t d = 0; d < directions; ++d) names.insert(names.end(), fallback.begin(), fallback.end());
  }
  if (names.size() != fallback.size() * directions)
    throw Error("activations: expected " + std::to_string(fallback.size() * directions) + " names, found " +
                std::to_string(names.size()));
  return names;
}

// Alphas and betas are listed for those activations alone that have them.
void set_numbers(const Build& build, std::vector<Activation>& activations, const std::vector<std::string>& names) {
  const std::vector<double> alphas = build.reals("activation_alpha"), betas = build.reals("activation_beta");
  std::size_t alpha = 0, beta = 0;
  for (std::size_t i = 0; i < activations.size(); ++i) {
    const ActivationNumbers takes = activation_numbers(names[i]);
    if (takes.alpha && alpha < alphas.size()) activations[i].alpha = alphas[alpha++];
    if (takes.beta && beta < betas.size()) activations[i].beta = betas[beta++];
  }
}

Layer read_layer(const Build& build, Recurrent::Cell cell) {
  const std::string direction = build.text("direction", "forward");
  const std::size_t count = direction == "bidirectional" ? 2 : 1;
  const std::vector<std::string> names = activation_names(build, cell, count);
  std::vector<Activation> activations;
  for (const std::string& name : names) activations.push_back(find_activation(name));
  set_numbers(build, activations, names);
  const std::size_t each = names.size() / count;
  const std::vector<std::string> usual = default_activations(cell);
  Layer out;
  out.first_reversed = direction == "reverse";
  out.batch_first = build.flag("layout");
  for (std::size_t d = 0; d < count; ++d) {
    Recurrent one;
    one.cell = cell;
    one.clip = build.real("clip", 0);
    one.reset_behind = build.flag("linear_before_reset");
    one.coupled = build.flag("input_forget");
    one.plain = one.clip == 0 && !one.coupled && (cell != Recurrent::Cell::gru || one.reset_behind);
    for (std::size_t i = 0; i < each; ++i) {
      one.activations[i] = activations[d * each + i];
      one.plain = one.plain && one.activations[i].function == find_activation(usual[i]).function;
    }
    out.directions.push_back(one);
  }
  return out;
}

RecurrentWeights weights_of(Call& call, const Recurrent& what, std::int64_t direction) {
  RecurrentWeights out;
  out.input = call.in(1).select(0, direction);
  out.hidden = call.in(2).select(0, direction);
  if (call.has(3)) {
    const auto biases = call.in(3).select(0, direction).chunk(2, 0);
    out.input_bias = biases[0];
    out.hidden_bias = biases[1];
  }
  if (what.cell == Recurrent::Cell::lstm && call.has(7)) out.peepholes = call.in(7).select(0, direction);
  return out;
}

// The first `lengths` steps of each sample the other way around; an undefined length: all.
Tensor reversed(const Tensor& x, const Tensor& lengths) {
  if (!lengths.defined()) return at::flip(x, {0});
  const Tensor steps = at::arange(x.size(0), lengths.options()).unsqueeze(1);
  const Tensor from = at::where(steps < lengths, lengths - 1 - steps, steps);
  return at::gather(x, 0, from.unsqueeze(2).expand_as(x));
}

Kernel recurrent(const Build& build, Recurrent::Cell cell) {
  return [layer = read_layer(build, cell)](Call& call) {
    const Tensor x = layer.batch_first ? call.in(0).transpose(0, 1) : call.in(0);
    const Tensor lengths = call.has(4) ? call.in(4).to(at::kLong) : Tensor();
    const auto initial = [&](std::size_t operand, std::int64_t direction) {
      if (!call.has(operand)) return at::zeros({x.size(1), call.in(2).size(2)}, x.options().requires_grad(false));
      return call.in(operand).select(layer.batch_first ? 1 : 0, direction);
    };
    std::vector<Tensor> all, hidden, cells;
    for (std::size_t d = 0; d < layer.directions.size(); ++d) {
      const Recurrent& what = layer.directions[d];
      const auto index = static_cast<std::int64_t>(d);
      const bool backward = d == 1 || layer.first_reversed;
      const RecurrentWeights weights = weights_of(call, what, index);
      RecurrentStates states{initial(5, index), {}};
      if (what.cell == Recurrent::Cell::lstm) states.cell = initial(6, index);
      const Tensor in = backward ? reversed(x, lengths) : x;
      const bool plain = what.plain && !lengths.defined() && !weights.peepholes.defined() && x.size(0) > 0;
      const Tensor y = plain ? run_plain(what, in, weights, states) : unroll(what, in, weights, lengths, states);
      all.push_back(backward ? reversed(y, lengths) : y);
      hidden.push_back(states.hidden);
      cells.push_back(states.cell);
    }
    const std::int64_t batch_axis = layer.batch_first ? 1 : 0;
    if (call.wants(0)) {
      const Tensor y = at::stack(all, 1);  // (steps, directions, batch, hidden)
      call.out(0, layer.batch_first ? y.permute({2, 0, 1, 3}) : y);
    }
    if (call.wants(1)) call.out(1, at::stack(hidden, batch_axis));
    if (call.wants(2)) call.out(2, at::stack(cells, batch_axis));
  };
}

}  // namespace

void add_recurrent_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "GRU", [](const Build& build) { return recurrent(build, Recurrent::Cell::gru); }});
  entries.push_back({"", "LSTM", [](const Build& build) { return recurrent(build, Recurrent::Cell::lstm); }});
  entries.push_back({"", "RNN", [](const Build& build) { return recurrent(build, Recurrent::Cell::rnn); }});
}

}  // namespace coppice::executor
