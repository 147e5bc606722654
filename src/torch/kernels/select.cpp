#include "coppice/base/error.hpp"

#include "torch/kernels/kernels.hpp"
#include "torch/kernels/operands.hpp"

namespace coppice::executor {
namespace {

Kernel top_k(const Build& build) {
  const std::int64_t axis = build.integer("axis", -1), fixed = build.integer("k", 0);
  return [=, largest = build.flag("largest", true)](Call& call) {
    const at::Tensor& x = call.in(0);
    const std::int64_t k = call.has(1) ? one_integer(call, 1) : fixed;
    if (k < 0 || k > x.size(axis))
      throw Error("k: expected at most " + std::to_string(x.size(axis)) + ", found " + std::to_string(k));
    // Of equal elements the first comes first, which libtorch's topk does not promise.
    const auto [values, indices] = at::sort(x, true, axis, largest);
    call.out(0, values.narrow(axis, 0, k));
    call.out(1, indices.narrow(axis, 0, k));
  };
}

Kernel non_zero(const Build&) {
  return [](Call& call) { call.out(0, at::nonzero(call.in(0)).t()); };
}

Kernel compress(const Build& build) {
  const bool flat = !build.node().has("axis");
  return [=, axis = build.integer("axis", 0)](Call& call) {
    const at::Tensor x = flat ? call.in(0).reshape({-1}) : call.in(0);
    call.out(0, x.index_select(axis, at::nonzero(call.in(1)).reshape({-1}).to(x.device())));
  };
}

Kernel unique(const Build& build) {
  const bool flat = !build.node().has("axis"), sorted = build.flag("sorted", true);
  return [=, axis = build.integer("axis", 0)](Call& call) {
    const at::Tensor x = flat ? call.in(0).reshape({-1}) : call.in(0);
    auto [values, inverse, counts] = at::unique_dim(x, axis, true, true, true);
    // In a stable order of the inverse, the first of each run is the first of its kind.
    const at::Tensor runs = counts.cumsum(0) - counts;
    at::Tensor first = std::get<1>(at::sort(inverse, true, 0, false)).index_select(0, runs);
    if (!sorted) {
      const at::Tensor order = first.argsort();
      first = first.index_select(0, order);
      counts = counts.index_select(0, order);
      inverse = order.argsort().index_select(0, inverse);
    }
    call.out(0, x.index_select(axis, first));  // rather than `values`, which has no gradient
    call.out(1, first);
    call.out(2, inverse);
    call.out(3, counts);
  };
}

Kernel one_hot(const Build& build) {
  return [axis = build.integer("axis", -1)](Call& call) {
    at::Tensor indices = call.in(0), values = call.in(2);
    to_one_device({&indices, &values});
    const auto depth = static_cast<std::int64_t>(call.number(1));
    const std::int64_t rank = indices.dim() + 1, at = at::maybe_wrap_dim(axis, rank);
    std::vector<std::int64_t> along(static_cast<std::size_t>(rank), 1);
    along[static_cast<std::size_t>(at)] = depth;
    const at::Tensor classes = at::arange(depth, at::TensorOptions(at::kLong).device(indices.device())).reshape(along);
    const at::Tensor hit = wrapped(indices, depth, indices).unsqueeze(at) == classes;
    call.out(0, at::where(hit, values.select(0, 1), values.select(0, 0)));
  };
}

Kernel reverse_sequence(const Build& build) {
  const std::int64_t batch_axis = build.integer("batch_axis", 1), time_axis = build.integer("time_axis", 0);
  return [=](Call& call) {
    const at::Tensor& x = call.in(0);
    const std::int64_t batch = at::maybe_wrap_dim(batch_axis, x.dim()), time = at::maybe_wrap_dim(time_axis, x.dim());
    std::vector<std::int64_t> over_time(static_cast<std::size_t>(x.dim()), 1), over_batch = over_time;
    over_time[static_cast<std::size_t>(time)] = x.size(time);
    over_batch[static_cast<std::size_t>(batch)] = x.size(batch);
    const at::Tensor lengths = call.in(1).to(x.device(), at::kLong).reshape(over_batch);
    const at::Tensor steps = at::arange(x.size(time), lengths.options()).reshape(over_time);
    const at::Tensor from = at::where(steps < lengths, lengths - 1 - steps, steps);
    call.out(0, at::gather(x, time, from.expand(x.sizes())));
  };
}

}  // namespace

void add_select_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "Compress", compress});
  entries.push_back({"", "NonZero", non_zero});
  entries.push_back({"", "OneHot", one_hot});
  entries.push_back({"", "ReverseSequence", reverse_sequence});
  entries.push_back({"", "TopK", top_k});
  entries.push_back({"", "Unique", unique});
}

}  // namespace coppice::executor
