#pragma once
#include <vector>

#include "coppice/sparsity/sparsifier.hpp"
#include "coppice/torch/callable.hpp"
#include "coppice/torch/evidence.hpp"

/// Zeros in a module at once, without training. While it trains: SparsifyCallback; by data: sparsify_calibrated().
namespace coppice {

/// What sparsity::Sparsifier chooses of the module's weights: bool by the name of the weight, true for what stays. Of a
/// module written in C++ the layers are those of its trace on `example_inputs`. Throws Error as Sparsifier does.
NamedTensors choose_masks(const Callable& model, const sparsity::SparsifyOptions& options,
                          const std::vector<at::Tensor>& example_inputs = {});

/// Writes the zeros of masks, as of choose_masks(), SparsifyCallback::masks() or a Ticket, into the module's weights.
/// Throws Error, and changes nothing, for a mask that fits no weight.
void apply_masks(const Callable& model, const NamedTensors& masks, const std::vector<at::Tensor>& example_inputs = {});

}  // namespace coppice
