#include "torch/kernels/indices.hpp"
#include "torch/kernels/kernels.hpp"
#include "torch/kernels/operands.hpp"

namespace coppice::executor {
namespace {

Kernel gather(const Build& build) {
  return [axis = build.integer("axis", 0)](Call& call) {
    const at::Tensor &data = call.in(0), &indices = call.in(1);
    const std::int64_t at = at::maybe_wrap_dim(axis, data.dim());
    if (indices.dim() == 0 && indices.is_cpu()) return call.out(0, data.select(at, indices.item<std::int64_t>()));
    const at::Tensor flat = wrapped(indices, data.size(at), data).reshape({-1});
    std::vector<std::int64_t> shape = data.sizes().vec();
    shape.erase(shape.begin() + at);
    shape.insert(shape.begin() + at, indices.sizes().begin(), indices.sizes().end());
    call.out(0, data.index_select(at, flat).reshape(shape));
  };
}

Kernel gather_elements(const Build& build) {
  return [axis = build.integer("axis", 0)](Call& call) {
    const at::Tensor& data = call.in(0);
    call.out(0, at::gather(data, axis, wrapped(call.in(1), data.size(axis), data)));
  };
}

Kernel gather_nd(const Build& build) {
  return [batch_axes = build.integer("batch_dims", 0)](Call& call) {
    const at::Tensor &data = call.in(0), &indices = call.in(1);
    const auto b = static_cast<std::size_t>(batch_axes);
    const Rows rows(data, indices, b);
    // Each batch has rows of its own: shift the indices into a table of all of them.
    const at::Tensor shift = (at::arange(rows.batches, rows.index.options()) * rows.count).unsqueeze(1);
    const at::Tensor flat = (rows.index.reshape({rows.batches, -1}) + shift).reshape({-1});
    std::vector<std::int64_t> shape = indices.sizes().vec();
    const auto k = static_cast<std::size_t>(shape.back());
    shape.pop_back();
    shape.insert(shape.end(), data.sizes().begin() + b + k, data.sizes().end());
    call.out(0, data.reshape({rows.batches * rows.count, rows.width}).index_select(0, flat).reshape(shape));
  };
}

}  // namespace

void add_gather_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "Gather", gather});
  entries.push_back({"", "GatherElements", gather_elements});
  entries.push_back({"", "GatherND", gather_nd});
}

}  // namespace coppice::executor
