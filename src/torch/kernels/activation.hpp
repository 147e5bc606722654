#pragma once
#include <functional>
#include <string_view>

#include "torch/executor/kernel.hpp"

/// Activation functions that an attribute names: of recurrent and of fused operators.
namespace coppice::executor {

struct Activation {
  using Function = at::Tensor (*)(const at::Tensor&, double alpha, double beta);
  Function function = nullptr;  ///< Null: none.
  double alpha = 0, beta = 0;

  at::Tensor operator()(const at::Tensor& x) const { return function ? function(x, alpha, beta) : x; }
};

/// By ONNX's name, in any case, with the function's default alpha and beta. None for an empty name. Throws Error for an
/// unknown one.
Activation find_activation(std::string_view name);

/// Which of alpha and beta a function takes.
struct ActivationNumbers {
  bool alpha = false, beta = false;
};
ActivationNumbers activation_numbers(std::string_view name);

}  // namespace coppice::executor
