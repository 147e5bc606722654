#pragma once
#include "torch/kernels/window.hpp"

/// Pools over windows of one to three spatial axes.
namespace coppice::executor {

struct MaxPooled {
  at::Tensor values, indices;
};

/// Indices, where wanted, count through the whole tensor: row by row, or with `columns` first axis fastest within an
/// image.
MaxPooled pool_max(const at::Tensor& x, const Window& shape, bool indices, bool columns);
/// Sums over the windows (all lists complete); padding counts as 0.
at::Tensor pool_sum(const at::Tensor& x, const Window& window);
/// With `whole`, the padding counts as zeros, but not what ceil_mode adds behind it.
at::Tensor pool_average(const at::Tensor& x, const Window& shape, bool whole);

}  // namespace coppice::executor
