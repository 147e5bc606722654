#pragma once
#include <memory>
#include <string>
#include <vector>

#include "coppice/torch/trace.hpp"

namespace torch::jit {
struct Graph;
}

namespace coppice::tracing {

/// A parameter or buffer as the recording knows it: the attribute "p0", "p1"... of the recorded graph's `self`.
struct Leaf {
  std::string name;         ///< Its path in the module.
  at::Tensor tensor;        ///< The module's own.
  std::size_t same_as = 0;  ///< The first leaf with the same memory; its own index where there is none before.
};

struct Recording {
  std::shared_ptr<torch::jit::Graph> graph;
  std::vector<Leaf> leaves;
};

/// Runs the module once under libtorch's tracer and leaves it as it was.
Recording record(const Callable& callable, const std::vector<at::Tensor>& inputs, bool evaluation);

}  // namespace coppice::tracing
