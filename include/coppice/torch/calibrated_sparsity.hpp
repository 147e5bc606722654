#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "coppice/base/progress.hpp"
#include "coppice/sparsity/sparsifier.hpp"
#include "coppice/torch/calibration.hpp"
#include "coppice/torch/graph_module.hpp"
#include "coppice/torch/layer_sparsity.hpp"

namespace coppice {

/// How the weights that become zero are told.
enum class SparsityMethod {
  magnitude,   ///< |w|, of all weights of a layer; for comparison.
  wanda,       ///< |w| times the norm of its input, of the weights of an output.
  sparse_gpt,  ///< By what the layer loses when the other weights make up for them, which they then do.
};

std::string_view to_string(SparsityMethod method);
/// Throws Error, which lists the names, on any other text.
SparsityMethod parse_sparsity_method(std::string_view text);

struct CalibratedOptions {
  SparsityMethod method = SparsityMethod::sparse_gpt;
  /// `sparsity`, `pattern` (none or N:M), `layers`, `ignore` and `keep_classifier`; the others must be as they are.
  sparsity::SparsifyOptions what;
  bool owl = false;  ///< Layers with more outliers lose less: see owl_shares().
  double owl_spread = 0.08, owl_multiple = 5;
  SparseGptOptions sparse_gpt;
  Calibration calibration;  ///< Inputs; targets and loss are not looked at.
  base::Progress* progress = nullptr;
};

struct CalibratedLayer {
  std::string name, layer;  ///< Of the weight, and of what reads it.
  std::int64_t weights = 0, zeros = 0;
  double error = 0;    ///< reconstruction_error() on the inputs that the layer saw, of all its groups together.
  double damping = 0;  ///< SparseGptResult::damping, the largest of its groups.
};

struct CalibratedReport {
  std::vector<CalibratedLayer> layers;  ///< In the order in which they were worked on.
  std::vector<sparsity::LeftDense> left;
  std::int64_t samples = 0;

  /// A line for every layer, at most 80 columns.
  std::string text() const;
  std::string json() const;
};

/// Makes the weights of convolutions and matrix products sparse, layer after layer in the order of the graph: each is
/// fed by those before it, which are sparse already. An input is a row of a product, or what a filter sees at one place
/// of one picture, where the inputs of one kernel place lie side by side. A weight that something else reads too,
/// an embedding or a second layer, is left as it is, for what it loses there cannot be told. Weights are written in
/// place, in their type.
///
/// Time: a run of the graph as far as the layer over all calibration data, for every distinct input of layers; memory:
/// the squared width of a layer's inputs, in float64, and a copy of the weights as they were. Throws Error for options
/// out of range and names that match nothing, when no layer is left, and what the model throws; the module is then as
/// it was.
CalibratedReport sparsify_calibrated(GraphModule& module, const CalibratedOptions& options);

}  // namespace coppice
