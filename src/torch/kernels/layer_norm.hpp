#pragma once
#include "torch/executor/kernel.hpp"

namespace coppice::executor {

/// What a layer norm over the last axes gives.
struct LayerNormed {
  at::Tensor y, mean, deviation;  ///< The inverse deviation; both statistics keep their axes. Undefined: not wanted.
};

/// Over the axes from `axis` on; `scale` and `bias` broadcast to x, and may be undefined. Without `centred` nothing is
/// subtracted (RMS norm).
LayerNormed layer_norm(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& bias, std::int64_t axis,
                       double epsilon, bool centred, bool statistics);

}  // namespace coppice::executor
