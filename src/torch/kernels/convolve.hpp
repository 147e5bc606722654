#pragma once
#include "torch/kernels/window.hpp"

namespace coppice::executor {

/// `bias` may be undefined.
at::Tensor convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const Window& shape,
                    std::int64_t groups);
/// The exact sums, as 64-bit integers, of operands whose products stay below 2^53.
at::Tensor convolve_integers(const at::Tensor& x, const at::Tensor& weight, const Window& shape, std::int64_t groups);
/// A list with a number a channel so that it broadcasts along axis 1; a single number as a scalar.
at::Tensor along_channels(const at::Tensor& list, std::int64_t rank);

}  // namespace coppice::executor
