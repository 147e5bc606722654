#pragma once
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <torch/nn.h>

#include "support/trace_check.hpp"

namespace coppice::test {

/// One module, or function, and what it is traced on.
struct TraceCase {
  std::string name;
  Callable module;
  std::vector<at::Tensor> inputs;
  double tolerance = 1e-5;
};

/// A function as a module without parameters.
template <class Function>
Callable function(Function forward) {
  return {std::make_shared<torch::nn::Module>("function"), [forward](const std::vector<at::Tensor>& in) {
            std::vector<at::Tensor> out;
            callable::flatten(forward(in), out);
            return out;
          }};
}

inline at::Tensor random(std::vector<std::int64_t> shape) {
  return at::randn(shape);
}

inline at::Tensor indices(std::int64_t below, std::vector<std::int64_t> shape) {
  return at::randint(below, shape, at::TensorOptions(at::kLong));
}

inline void check(const std::vector<TraceCase>& cases) {
  for (const TraceCase& each : cases) {
    SCOPED_TRACE(each.name);
    try {
      EXPECT_TRACES_WITHIN(each.tolerance, each.module, each.inputs);
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
}

}  // namespace coppice::test
