#pragma once
#include <vector>

#include "coppice/pruning/prepare.hpp"

namespace coppice::scoring {

/// The layer that reads a weight: where its channels lie in the weight and in its activations.
struct Layer {
  graph::ValueId weight = graph::no_value;
  int input_axis = -1, output_axis = -1;  ///< Of the weight; -1: none.
  /// Activations, and their channel axis (negative: from the end); no_value: not known.
  graph::ValueId input = graph::no_value, output = graph::no_value;
  int input_channels = 0, output_channels = 0;
  std::int64_t groups = 1;  ///< Of a convolution.
};

/// Those of all constants with tracked axes that some layer reads, in file order; of several layers the first.
std::vector<Layer> find_layers(const pruning::Prepared& prepared);

}  // namespace coppice::scoring
