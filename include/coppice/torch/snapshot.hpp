#pragma once
#include <memory>

#include "coppice/torch/callable.hpp"
#include "coppice/torch/libtorch.hpp"

namespace torch::optim {
class Optimizer;
}

namespace coppice {

/// A module as it was at some moment, to go back to, also after cuts: copies of its parameters and buffers in their
/// widths, the numbers of groups of its convolutions, the graph of a GraphModule, and, when given, all that an
/// optimizer remembers and its groups' options. Whether the module trains or evaluates, and which parameters require
/// gradients, is no part of it.
class ModuleSnapshot {
 public:
  /// Throws Error for an optimizer other than SGD, Adam, AdamW, RMSprop and Adagrad that has taken a step. The module,
  /// unless a shared pointer holds it, and the optimizer must outlive this.
  explicit ModuleSnapshot(const Callable& model, torch::optim::Optimizer* optimizer = nullptr);
  ~ModuleSnapshot();
  ModuleSnapshot(ModuleSnapshot&&) noexcept;
  ModuleSnapshot& operator=(ModuleSnapshot&&) noexcept;

  /// Puts the module back, any number of times: parameters and buffers stay the same tensors on their devices and take
  /// their former widths and numbers, layers' options tell them, gradients are gone. Tensors that the module did not
  /// have then stay as they are. A Pruner of the module has its Pruner::go_back().
  /// Throws Error, and changes nothing, when a tensor of then is missing or is of another type now.
  void restore() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coppice
