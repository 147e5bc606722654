#pragma once
#include "coppice/torch/aten.hpp"

namespace coppice {

/// Logits with the classes on the second axis, [N, classes, ...], as libtorch has them; language models give
/// [N, ..., classes], which is told by a target of class numbers [N, ...]. Throws Error where both would fit.
at::Tensor classes_second(const at::Tensor& logits, const at::Tensor& target);

}  // namespace coppice
