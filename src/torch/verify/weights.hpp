#pragma once
#include <string>
#include <vector>

#include "coppice/graph/model.hpp"

namespace coppice::verifying {

/// A model beside the one that it should be.
struct Likeness {
  bool same_structure = false;       ///< Nodes, names, shapes and every constant that is no weight are the same.
  std::vector<std::string> changed;  ///< Weights (scales, biases, buffers) of the same shape and type, but other bytes.
  std::vector<std::string> misfits;  ///< Weights of another shape or type: `"NAME": expected ..., found ...`.
};

Likeness liken(const graph::Model& expected, const graph::Model& found);

/// `model` with the weights that `source` has under the same names. Throws Error naming the first that has no place.
graph::Model with_weights(graph::Model model, const graph::Model& source);

}  // namespace coppice::verifying
