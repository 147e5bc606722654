#pragma once
#include "coppice/torch/aten.hpp"

namespace coppice::verifying {

/// How far `found` is from `expected`, relative: see Verification::error.
double distance(const at::Tensor& expected, const at::Tensor& found);

}  // namespace coppice::verifying
