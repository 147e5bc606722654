#pragma once
#include <memory>
#include <string_view>
#include <vector>

#include <torch/optim/optimizer.h>

#include "coppice/torch/libtorch.hpp"

namespace coppice {

enum class OptimizerKind { sgd, adam, adamw };

std::string_view to_string(OptimizerKind kind);
/// Throws Error, which lists the names, on any other text.
OptimizerKind parse_optimizer(std::string_view text);

/// One of libtorch's optimizers, as data.
struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::sgd;
  double learning_rate = 0.01;
  double momentum = 0.9;  ///< Of SGD.
  bool nesterov = false;  ///< Of SGD.
  double weight_decay = 0;
  double beta1 = 0.9, beta2 = 0.999;  ///< Of Adam and AdamW.
  bool decay_vectors = true;          ///< Whether biases and norms' parameters, of one axis, decay as well.
};

/// For those of the parameters that require gradients. Throws Error for numbers out of range.
std::unique_ptr<torch::optim::Optimizer> make_optimizer(const OptimizerOptions& options,
                                                        const std::vector<at::Tensor>& parameters);

}  // namespace coppice
