#pragma once
#include <functional>
#include <vector>

#include "coppice/torch/libtorch.hpp"

namespace coppice {

class GraphModule;

/// The running statistics of all batch norms of a module: means, variances, and numbers of batches where they are kept.
std::vector<at::Tensor> running_statistics(torch::nn::Module& root);

/// While it lives, the batch norms of a module take the batch's statistics, and their running ones become the mean over
/// the batches since it was made. It leaves momenta as they were; training flags are the caller's to bring back.
class Renewal {
 public:
  explicit Renewal(torch::nn::Module& root);
  ~Renewal();
  Renewal(const Renewal&) = delete;
  Renewal& operator=(const Renewal&) = delete;

  /// Before every batch.
  void next();

 private:
  GraphModule* graph_;
  std::int64_t batches_ = 0;
  std::vector<std::function<void()>> restore_;
};

}  // namespace coppice
