#pragma once
#include <cstdint>

#include "coppice/torch/calibration.hpp"
#include "coppice/torch/callable.hpp"

namespace coppice {

/// Measures the running statistics of every batch norm anew, as a cut changes what the layers see: the module runs on
/// the first `batches` batches (0: all), and every running mean and variance becomes the mean of what the batches have.
/// Meanwhile batch norms take the batch's statistics, and everything else, such as dropout, is in evaluation mode; no
/// gradients. Works on torch::nn::BatchNorm1d, 2d and 3d below the module, which then have tracked that many batches,
/// and on GraphModule. Nothing else changes: weights, training flags, momenta, other buffers, libtorch's generators.
/// Source: recalibration of Li et al., EagleEye, 2020; the cumulative mean is that of libtorch's batch norms without a
/// momentum. Returns the number of batches. Throws Error, and changes nothing, for a module without such statistics,
/// for no data, and naming the batch where the module fails.
std::int64_t recalibrate_batch_norm(const Callable& model, const BatchSource& data, std::int64_t batches = 0);

}  // namespace coppice
