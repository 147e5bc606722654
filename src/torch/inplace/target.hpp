#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "coppice/coupling/couplings.hpp"
#include "coppice/graph/model.hpp"
#include "coppice/torch/callable.hpp"

namespace coppice::inplace {

/// What is pruned in place: a module written in C++, or a GraphModule.
class Target {
 public:
  virtual ~Target() = default;
  /// The graph of what it computes; its constants may share the module's memory.
  virtual graph::Model graph() = 0;
  /// Parameters and buffers by the names of the graph's constants: those that can be cut.
  virtual std::map<std::string, at::Tensor> tensors() = 0;
  /// What the module's own code asks of that graph's constants.
  virtual coupling::Demands demands(const graph::Graph& graph) = 0;
  /// Called when the tensors have been cut: makes everything else agree with the graph of the cut module.
  virtual void follow(const graph::Model& cut) = 0;
  /// Called when the tensors are as they were: undoes the last follow(), also one that failed.
  virtual void go_back() = 0;
};

std::unique_ptr<Target> make_target(const Callable& model, const std::vector<at::Tensor>& example_inputs);

}  // namespace coppice::inplace
