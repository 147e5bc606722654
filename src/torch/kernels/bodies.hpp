#pragma once
#include "torch/executor/kernel.hpp"

namespace coppice::executor {

/// The subgraph of a loop.
class Body {
 public:
  Body(const Build& build, std::string_view attribute);

  std::size_t output_count() const { return empty_.size(); }
  /// Throws Error unless there is a tensor for every output.
  std::vector<at::Tensor> run(Call& call, std::vector<at::Tensor> inputs) const;
  /// What output `i` gave in each round, along a new axis; after no round, an empty tensor of the declared type and,
  /// as far as it is declared, shape.
  at::Tensor stack(const std::vector<at::Tensor>& rounds, std::size_t i, std::int64_t axis) const;

 private:
  std::shared_ptr<const Program> program_;
  std::vector<at::Tensor> empty_;
};

}  // namespace coppice::executor
