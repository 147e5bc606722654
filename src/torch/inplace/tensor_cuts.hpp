#pragma once
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "coppice/torch/libtorch.hpp"

namespace torch::optim {
class Optimizer;
}

namespace coppice::inplace {

/// What stays of a tensor, by axis: positions in the tensor as it is.
using Kept = std::vector<std::pair<std::int64_t, std::vector<std::int64_t>>>;

/// The positions of all named axes; a new tensor on the same device.
at::Tensor keep(const at::Tensor& tensor, const Kept& kept);

/// Tensors that get other data, all at once or not at all. The tensors stay the same objects, so that modules and
/// optimizers that hold them see the change.
class Exchange {
 public:
  /// Cuts a parameter or buffer: its data, its gradient, and what an optimizer remembers of it in the same shape.
  void cut(const at::Tensor& tensor, const Kept& kept, torch::optim::Optimizer* optimizer);
  /// Puts the new data in place. Throws nothing.
  void commit();
  /// The old data again.
  void roll_back();

 private:
  struct Swap {
    at::Tensor* holder;  ///< Null: `tensor` gets other data; else the tensor there is replaced.
    at::Tensor tensor, before, after, gradient_before, gradient_after;
  };
  std::vector<Swap> swaps_;
};

}  // namespace coppice::inplace
