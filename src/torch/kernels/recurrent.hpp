#pragma once
#include <array>
#include <vector>

#include "torch/kernels/activation.hpp"

/// RNN, GRU and LSTM, one direction at a time.
namespace coppice::executor {

struct Recurrent {
  enum class Cell { rnn, gru, lstm };
  Cell cell = Cell::rnn;
  std::array<Activation, 3> activations;
  double clip = 0;            ///< Of what goes into the activations; 0: none.
  bool reset_behind = false;  ///< linear_before_reset.
  bool coupled = false;       ///< input_forget.
  bool plain = false;         ///< libtorch's own function computes the same.
  std::int64_t gates() const { return cell == Cell::lstm ? 4 : cell == Cell::gru ? 3 : 1; }
};

/// Of one direction; undefined where the node has none. Rows of gates stand in ONNX's order.
struct RecurrentWeights {
  at::Tensor input, hidden;            ///< (gates * hidden, input) and (gates * hidden, hidden).
  at::Tensor input_bias, hidden_bias;  ///< (gates * hidden).
  at::Tensor peepholes;                ///< (3 * hidden): input, output, forget.
};

struct RecurrentStates {
  at::Tensor hidden, cell;  ///< (batch, hidden).
};

/// x (steps, batch, input) to the hidden states (steps, batch, hidden); `states` go in as the initial ones and come out
/// as the last ones. `lengths` (batch) are the steps that count for each sample; undefined: all. What comes behind is
/// 0.
at::Tensor unroll(const Recurrent& what, const at::Tensor& x, const RecurrentWeights& weights,
                  const at::Tensor& lengths, RecurrentStates& states);
/// The same through libtorch's own function, for `plain` ones without lengths and peepholes.
at::Tensor run_plain(const Recurrent& what, const at::Tensor& x, const RecurrentWeights& weights,
                     RecurrentStates& states);

}  // namespace coppice::executor
