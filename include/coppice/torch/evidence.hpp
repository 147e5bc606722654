#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "coppice/importance/scores.hpp"
#include "coppice/pruning/prepare.hpp"
#include "coppice/torch/calibration.hpp"
#include "coppice/torch/callable.hpp"
#include "coppice/torch/criterion.hpp"

namespace coppice {

class GraphModule;

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// What a criterion is told from, by the name of the weight. The tensors are copies; WeightView::name is set when a
/// criterion is asked.
using Evidence = std::map<std::string, WeightView, std::less<>>;

/// Where activation norms come from: a module that runs the graph of `prepared`, or its twin, on the same data.
struct Activations {
  GraphModule* module = nullptr;
  const pruning::Prepared* prepared = nullptr;
};

/// Runs the module on the calibration data, in evaluation mode, and collects what `options` ask for but `initial`: see
/// add_initial(). `parameters` are those of the module that are to be scored, under the names that the graph gives
/// them.
///
/// The gradient of a batch counts by its number of samples; for squared gradients every sample is run on its own. The
/// module stays as it was: weights, buffers, `.grad`, training flags, and the states of libtorch's generators. Batches
/// are moved to the device of the parameters. Throws Error when data, loss or activations are asked for and missing,
/// for a parameter that requires no gradient or two different lengths in a batch, when loss or gradients are not
/// finite, and with what libtorch says when the module or the loss fails.
Evidence collect(const Callable& module, const NamedTensors& parameters, const CriterionOptions& options,
                 const Calibration& calibration, const Activations& activations = {});

/// The same for a graph of `prepared` or its twin: its parameters, its activations.
Evidence collect(GraphModule& module, const pruning::Prepared& prepared, const CriterionOptions& options,
                 const Calibration& calibration);

/// Copies, for add_initial() later.
NamedTensors snapshot(const NamedTensors& parameters);
/// Sets WeightView::initial. Throws Error for a weight that the snapshot does not have in the same shape.
void add_initial(Evidence& evidence, const NamedTensors& snapshot);

/// The criterion's number for every weight, in the weight's shape: float64, on the CPU. Weights that it does not
/// measure are left out. A criterion per channel gives each weight the number of its output channel. `random` draws
/// from `seed`, the weight's place in the list and in the tensor. Throws Error for fpgm, which has no number for a
/// single weight, for numbers of another shape and for ones that are not finite.
std::map<std::string, at::Tensor, std::less<>> weight_scores(const Criterion& criterion, const Evidence& evidence,
                                                             std::uint64_t seed = 0);

/// What pruning::SelectOptions::measure is to give. Axes of the evidence are as long as the constant's, and then the
/// slices of `removed` units do not count, or as long as what is left of it. Constants without evidence are not
/// measured. Sums are in double precision. Empty for a criterion told from the weights alone, which the core measures
/// itself. A group none of whose members is measured stays whole. Throws Error when nothing of the whole model is
/// measured, when shapes do not fit, and as weight_scores() does for numbers that do not.
importance::Measure make_measure(const Criterion& criterion, const pruning::Prepared& prepared,
                                 std::span<const std::uint8_t> removed, Evidence evidence);

}  // namespace coppice
