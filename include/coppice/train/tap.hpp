#pragma once
#include <functional>
#include <ostream>
#include <utility>
#include <vector>

#include "coppice/torch/libtorch.hpp"
// clang-format off: it comes after what makes it compile, see aten.hpp
#include <torch/nn/cloneable.h>
// clang-format on

namespace coppice {

/// A place in a network where others may look: gives what it gets. libtorch's modules have no hooks in C++, so a
/// network that is to be observed registers one of these, and sends a tensor through it; in a Sequential it is a layer
/// like any other. It leaves no mark in a trace, so a pruner does not see it.
class TapImpl : public torch::nn::Cloneable<TapImpl> {
 public:
  using Observer = std::function<void(at::Tensor& value)>;

  at::Tensor forward(at::Tensor value) {
    for (const auto& entry : observers_) entry.second(value);
    return value;
  }
  /// Calls back with every tensor that goes through. Returns an id for forget().
  int observe(Observer observer) {
    observers_.emplace_back(next_, std::move(observer));
    return next_++;
  }
  void forget(int id) {
    std::erase_if(observers_, [id](const auto& entry) { return entry.first == id; });
  }
  /// Of a clone: nobody looks at it.
  void reset() override { observers_.clear(); }
  void pretty_print(std::ostream& stream) const override { stream << "coppice::Tap()"; }

 private:
  std::vector<std::pair<int, Observer>> observers_;
  int next_ = 0;
};
TORCH_MODULE(Tap);

}  // namespace coppice
