#include "torch/inplace/tensor_cuts.hpp"

#include "torch/inplace/optimizer_state.hpp"

namespace coppice::inplace {

at::Tensor keep(const at::Tensor& tensor, const Kept& kept) {
  at::Tensor out = tensor.detach();
  for (const auto& [axis, positions] : kept)
    out = out.index_select(axis, at::tensor(positions, at::kLong).to(tensor.device()));
  return out;
}

void Exchange::cut(const at::Tensor& tensor, const Kept& kept, torch::optim::Optimizer* optimizer) {
  Swap swap{nullptr, tensor, tensor.detach(), keep(tensor, kept), {}, {}};
  if (tensor.grad().defined()) {
    swap.gradient_before = tensor.grad();
    swap.gradient_after = keep(tensor.grad(), kept);
  }
  swaps_.push_back(std::move(swap));
  if (!optimizer) return;
  for (at::Tensor* const state : state_tensors(*optimizer, tensor))
    if (state->defined() && state->sizes() == tensor.sizes())
      swaps_.push_back({state, {}, *state, keep(*state, kept), {}, {}});
}

void Exchange::commit() {
  for (Swap& swap : swaps_) {
    if (swap.holder) {
      *swap.holder = swap.after;
      continue;
    }
    if (swap.gradient_before.defined()) swap.tensor.mutable_grad() = at::Tensor();
    swap.tensor.set_data(swap.after);
    if (swap.gradient_before.defined()) swap.tensor.mutable_grad() = swap.gradient_after;
  }
}

void Exchange::roll_back() {
  for (Swap& swap : swaps_) {
    if (swap.holder) {
      *swap.holder = swap.before;
      continue;
    }
    if (swap.gradient_before.defined()) swap.tensor.mutable_grad() = at::Tensor();
    swap.tensor.set_data(swap.before);
    if (swap.gradient_before.defined()) swap.tensor.mutable_grad() = swap.gradient_before;
  }
}

}  // namespace coppice::inplace
