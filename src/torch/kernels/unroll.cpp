#include <utility>

#include "torch/kernels/recurrent.hpp"

namespace coppice::executor {
namespace {

using at::Tensor;

Tensor clipped(const Recurrent& what, const Tensor& x) {
  return what.clip > 0 ? at::clamp(x, -what.clip, what.clip) : x;
}

Tensor step_rnn(const Recurrent& what, const Tensor& input, const RecurrentWeights& w, const RecurrentStates& last) {
  Tensor sum = input + at::matmul(last.hidden, w.hidden.t());
  if (w.hidden_bias.defined()) sum = sum + w.hidden_bias;
  return what.activations[0](clipped(what, sum));
}

// Gates: update, reset, hidden.
Tensor step_gru(const Recurrent& what, const Tensor& input, const RecurrentWeights& w, const RecurrentStates& last) {
  const std::int64_t size = last.hidden.size(1);
  const auto in = input.split(size, 1);
  const auto rows = w.hidden.split(size, 0);
  const auto recur = [&](std::size_t gate, const Tensor& h) {
    const Tensor sum = at::matmul(h, rows[gate].t());
    return w.hidden_bias.defined() ? sum + w.hidden_bias.split(size, 0)[gate] : sum;
  };
  const Tensor update = what.activations[0](clipped(what, in[0] + recur(0, last.hidden)));
  const Tensor reset = what.activations[0](clipped(what, in[1] + recur(1, last.hidden)));
  const Tensor hidden = what.reset_behind ? reset * recur(2, last.hidden) : recur(2, reset * last.hidden);
  const Tensor fresh = what.activations[1](clipped(what, in[2] + hidden));
  return (1 - update) * fresh + update * last.hidden;
}

// Gates: input, output, forget, cell.
RecurrentStates step_lstm(const Recurrent& what, const Tensor& input, const RecurrentWeights& w,
                          const RecurrentStates& last) {
  const std::int64_t size = last.hidden.size(1);
  Tensor sum = input + at::matmul(last.hidden, w.hidden.t());
  if (w.hidden_bias.defined()) sum = sum + w.hidden_bias;
  auto gates = sum.split(size, 1);
  std::vector<Tensor> peeps;
  if (w.peepholes.defined()) peeps = w.peepholes.split(size, 0);
  const auto gate = [&](std::size_t i, const Tensor& cell) {
    return what.activations[0](clipped(what, peeps.empty() ? gates[i] : gates[i] + peeps[i] * cell));
  };
  const Tensor in = gate(0, last.cell);
  const Tensor forget = what.coupled ? 1 - in : gate(2, last.cell);
  const Tensor cell = forget * last.cell + in * what.activations[1](clipped(what, gates[3]));
  return {gate(1, cell) * what.activations[2](cell), cell};
}

RecurrentStates step(const Recurrent& what, const Tensor& input, const RecurrentWeights& w,
                     const RecurrentStates& last) {
  switch (what.cell) {
    case Recurrent::Cell::rnn:
      return {step_rnn(what, input, w, last), {}};
    case Recurrent::Cell::gru:
      return {step_gru(what, input, w, last), {}};
    default:
      return step_lstm(what, input, w, last);
  }
}

}  // namespace

Tensor unroll(const Recurrent& what, const Tensor& x, const RecurrentWeights& weights, const Tensor& lengths,
              RecurrentStates& states) {
  // All steps' inputs at once.
  Tensor inputs = at::matmul(x, weights.input.t());
  if (weights.input_bias.defined()) inputs = inputs + weights.input_bias;
  std::vector<Tensor> out;
  for (std::int64_t t = 0; t < x.size(0); ++t) {
    RecurrentStates next = step(what, inputs.select(0, t), weights, states);
    if (lengths.defined()) {
      const Tensor counts = (lengths > t).unsqueeze(1);
      out.push_back(at::where(counts, next.hidden, at::zeros_like(next.hidden)));
      next.hidden = at::where(counts, next.hidden, states.hidden);
      if (next.cell.defined()) next.cell = at::where(counts, next.cell, states.cell);
    } else {
      out.push_back(next.hidden);
    }
    states = std::move(next);
  }
  return out.empty() ? at::zeros({0, x.size(1), weights.hidden.size(1)}, x.options()) : at::stack(out);
}

namespace {

// Blocks of rows in libtorch's order: input, forget, cell, output; and reset, update, hidden.
Tensor reordered(const Recurrent& what, const Tensor& rows) {
  if (!rows.defined() || what.cell == Recurrent::Cell::rnn) return rows;
  const auto parts = rows.chunk(what.gates(), 0);
  if (what.cell == Recurrent::Cell::gru) return at::cat({parts[1], parts[0], parts[2]});
  return at::cat({parts[0], parts[2], parts[3], parts[1]});
}

}  // namespace

Tensor run_plain(const Recurrent& what, const Tensor& x, const RecurrentWeights& weights, RecurrentStates& states) {
  std::vector<Tensor> parameters;
  for (const Tensor& rows : {weights.input, weights.hidden, weights.input_bias, weights.hidden_bias})
    if (rows.defined()) parameters.push_back(reordered(what, rows));
  const bool biased = weights.input_bias.defined();
  const Tensor hidden = states.hidden.unsqueeze(0);
  Tensor y;
  if (what.cell == Recurrent::Cell::lstm) {
    auto [all, last, cell] =
        at::lstm(x, {hidden, states.cell.unsqueeze(0)}, parameters, biased, 1, 0.0, false, false, false);
    y = all;
    states = {last.squeeze(0), cell.squeeze(0)};
  } else {
    auto [all, last] = what.cell == Recurrent::Cell::gru
                           ? at::gru(x, hidden, parameters, biased, 1, 0.0, false, false, false)
                           : at::rnn_tanh(x, hidden, parameters, biased, 1, 0.0, false, false, false);
    y = all;
    states.hidden = last.squeeze(0);
  }
  return y;
}

}  // namespace coppice::executor
