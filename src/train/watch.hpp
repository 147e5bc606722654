#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "coppice/torch/callable.hpp"

namespace coppice {

/// While it lives, keeps activations of a model as it runs: values of a GraphModule's graph, or what goes through Tap
/// modules, by name.
class Watch {
 public:
  /// Throws Error, which lists what there is, for a name that does not exist.
  Watch(const Callable& model, std::vector<std::string> names);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  /// What was there the last time, in the order of the names. Throws Error for one that the model did not compute.
  std::vector<at::Tensor> seen() const;

 private:
  Callable model_;  // keeps the module alive
  std::vector<std::string> names_;
  std::shared_ptr<std::vector<at::Tensor>> seen_;
  std::vector<std::function<void()>> forget_;
};

}  // namespace coppice
