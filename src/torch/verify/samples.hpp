#pragma once
#include <vector>

#include "coppice/pruning/prepare.hpp"
#include "coppice/torch/verify.hpp"

namespace coppice::verifying {

/// Inputs of one run.
struct Sample {
  std::vector<at::Tensor> inputs;
  bool optional = false;  ///< In a world that the file does not promise to run in.
};

/// `options.samples` sets in the world of counting, with the extents that `options.shapes` names, and one in the second
/// world of a dynamic model. Throws Error where `shapes` names no input, or other extents than the model declares.
std::vector<Sample> draw_samples(const pruning::Prepared& prepared, const VerifyOptions& options);

/// Outputs of every sample, on the CPU.
using Results = std::vector<std::vector<at::Tensor>>;

/// Runs the model on every sample; optional ones on which it fails are dropped from `samples` and the results where
/// `may_drop` says so. 16-bit real numbers are computed in single precision. Throws Error when inputs and outputs are
/// not those of `like`, and as GraphModule does.
Results run(graph::Model model, const graph::Graph& like, std::vector<Sample>& samples, at::Device device,
            bool may_drop = false);

}  // namespace coppice::verifying
