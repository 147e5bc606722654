#pragma once
#include <memory>
#include <string>
#include <vector>

#include "coppice/sparsity/sparsifier.hpp"
#include "coppice/torch/evidence.hpp"

#include "torch/inplace/target.hpp"

namespace coppice::sparse {

/// The weights of a module that take part by some options, and where they are to be zero.
class ModuleWeights {
 public:
  struct Weight {
    std::string name;
    at::Tensor tensor;  ///< The module's own.
    at::Tensor gone;    ///< bool: zero there; undefined while nothing is chosen.
  };

  /// Throws Error as sparsity::Sparsifier does for names and when nothing is left to make sparse, and as a trace does.
  ModuleWeights(const Callable& model, const std::vector<at::Tensor>& example_inputs,
                const sparsity::SparsifyOptions& options);

  const std::vector<Weight>& weights() const { return weights_; }
  /// Chooses among the weights as they are now. Of the options all but which layers take part may be others.
  void choose(const sparsity::SparsifyOptions& options);
  /// Takes masks by name: bool, true for what stays. Throws Error, which begins with `source`, for one that fits
  /// no weight.
  void take(const NamedTensors& masks, const std::string& source);
  /// Takes the zeros that there are now. What has none stays free.
  void take_zeros();
  /// Writes the zeros.
  void apply() const;
  /// What stays: bool, by name. Empty while nothing is chosen.
  NamedTensors masks() const;

 private:
  std::vector<Weight> weights_;
  graph::Model graph_;
  std::unique_ptr<inplace::Target> target_;  // keeps the memory of the graph's constants
};

}  // namespace coppice::sparse
