#include "torch/inplace/optimizer_state.hpp"

#include <torch/optim.h>

#include "coppice/base/error.hpp"

namespace coppice::inplace {

std::vector<at::Tensor*> state_tensors(torch::optim::Optimizer& optimizer, const at::Tensor& parameter) {
  auto& states = optimizer.state();
  using Key = typename std::decay_t<decltype(states)>::key_type;
  const auto it = states.find(optimizer_key<Key>(parameter));
  if (it == states.end() || !it->second) return {};
  return state_tensors(*it->second);
}

std::vector<at::Tensor*> state_tensors(torch::optim::OptimizerParamState& memory) {
  torch::optim::OptimizerParamState* const state = &memory;
  // The accessors give references to what the state holds.
  if (auto* sgd = dynamic_cast<torch::optim::SGDParamState*>(state)) return {&sgd->momentum_buffer()};
  if (auto* adam = dynamic_cast<torch::optim::AdamParamState*>(state))
    return {&adam->exp_avg(), &adam->exp_avg_sq(), &adam->max_exp_avg_sq()};
  if (auto* adamw = dynamic_cast<torch::optim::AdamWParamState*>(state))
    return {&adamw->exp_avg(), &adamw->exp_avg_sq(), &adamw->max_exp_avg_sq()};
  if (auto* rms = dynamic_cast<torch::optim::RMSpropParamState*>(state))
    return {&rms->square_avg(), &rms->momentum_buffer(), &rms->grad_avg()};
  if (auto* adagrad = dynamic_cast<torch::optim::AdagradParamState*>(state)) return {&adagrad->sum()};
  throw Error("optimizer: expected SGD, Adam, AdamW, RMSprop or Adagrad, found one whose state cannot be cut along");
}

}  // namespace coppice::inplace
