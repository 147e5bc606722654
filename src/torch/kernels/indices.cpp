#include "torch/kernels/indices.hpp"

#include "coppice/base/error.hpp"

namespace coppice::executor {

Rows::Rows(const at::Tensor& data, const at::Tensor& indices, std::size_t batch_axes) {
  const auto rank = static_cast<std::size_t>(data.dim());
  const std::int64_t last = indices.dim() > 0 ? indices.size(-1) : 0;
  const auto k = static_cast<std::size_t>(last);
  if (indices.dim() == 0 || batch_axes >= static_cast<std::size_t>(indices.dim()) || batch_axes + k > rank)
    throw Error("indices: expected at most " + std::to_string(rank) + " numbers in a tuple, found " +
                std::to_string(last));
  const at::IntArrayRef sizes = data.sizes();
  for (std::size_t i = 0; i < batch_axes; ++i) batches *= sizes[i];
  for (std::size_t i = batch_axes + k; i < rank; ++i) width *= sizes[i];
  const at::Tensor tuples = indices.to(data.device(), at::kLong).reshape({-1, last});
  index = at::zeros({tuples.size(0)}, tuples.options());
  for (std::size_t i = 0; i < k; ++i) {
    const std::int64_t extent = sizes[batch_axes + i];
    const at::Tensor part = tuples.select(1, static_cast<std::int64_t>(i));
    // A number out of range must not become a neighbour's: keep it out of every row.
    const at::Tensor outside = at::logical_or(part < -extent, part >= extent);
    const at::Tensor within = at::where(part < 0, part + extent, part);
    index = at::where(at::logical_or(outside, index < 0), at::full_like(index, -1), index * extent + within);
    count *= extent;
  }
  if (index.is_cpu() && index.lt(0).any().item<bool>())
    throw Error("indices: expected numbers within the data's extents");
}

}  // namespace coppice::executor
