#include "torch/inplace/optimizer_memory.hpp"

#include <utility>

#include "coppice/base/error.hpp"

#include "torch/inplace/optimizer_state.hpp"

namespace coppice::inplace {
namespace {

using State = torch::optim::OptimizerParamState;

// clone() copies the handles of tensors only.
std::unique_ptr<State> deep_copy(const State* state) {
  if (!state) return nullptr;
  std::unique_ptr<State> out = state->clone();
  for (at::Tensor* const tensor : state_tensors(*out))
    if (tensor->defined()) *tensor = tensor->clone();
  return out;
}

}  // namespace

OptimizerMemory remember(torch::optim::Optimizer& optimizer) {
  OptimizerMemory out;
  auto& states = optimizer.state();
  using Key = typename std::decay_t<decltype(states)>::key_type;
  for (const auto& group : optimizer.param_groups()) {
    auto& list = out.states.emplace_back();
    for (const at::Tensor& parameter : group.params()) {
      const auto it = states.find(optimizer_key<Key>(parameter));
      list.push_back(it == states.end() ? nullptr : deep_copy(it->second.get()));
    }
    out.options.push_back(group.has_options() ? group.options().clone() : nullptr);
  }
  return out;
}

OptimizerMemory copy(const OptimizerMemory& memory) {
  OptimizerMemory out;
  for (const auto& list : memory.states) {
    auto& copies = out.states.emplace_back();
    for (const auto& state : list) copies.push_back(deep_copy(state.get()));
  }
  for (const auto& options : memory.options) out.options.push_back(options ? options->clone() : nullptr);
  return out;
}

void recall(torch::optim::Optimizer& optimizer, OptimizerMemory memory) {
  auto& groups = optimizer.param_groups();
  bool same = groups.size() == memory.states.size();
  for (std::size_t g = 0; same && g < groups.size(); ++g) same = groups[g].params().size() == memory.states[g].size();
  if (!same) throw Error("snapshot: expected the optimizer's groups of parameters as they were, found others");
  auto& states = optimizer.state();
  using Key = typename std::decay_t<decltype(states)>::key_type;
  states.clear();
  for (std::size_t g = 0; g < groups.size(); ++g) {
    for (std::size_t i = 0; i < memory.states[g].size(); ++i)
      if (memory.states[g][i]) states[optimizer_key<Key>(groups[g].params()[i])] = std::move(memory.states[g][i]);
    if (memory.options[g]) groups[g].set_options(std::move(memory.options[g]));
  }
}

}  // namespace coppice::inplace
