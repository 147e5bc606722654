#pragma once
#include "torch/executor/kernel.hpp"
#include "torch/kernels/operands.hpp"

namespace coppice::executor {

/// GatherND and ScatterND seen as a table: their index tuples name rows, which are what is left of the data's axes.
struct Rows {
  /// `batch_axes` leading axes are common to both. Throws Error on tuples too long for the data and, on the CPU, on
  /// indices out of range.
  Rows(const at::Tensor& data, const at::Tensor& indices, std::size_t batch_axes);

  at::Tensor index;          ///< One number a tuple, flat.
  std::int64_t batches = 1;  ///< Product of the common axes.
  std::int64_t count = 1;    ///< Rows in each batch.
  std::int64_t width = 1;    ///< Elements in a row.
};

}  // namespace coppice::executor
