#include <algorithm>

#include "torch/kernels/kernels.hpp"
#include "torch/kernels/operands.hpp"

namespace coppice::executor {
namespace {

using Axes = std::vector<std::int64_t>;
using Function = at::Tensor (*)(const at::Tensor& x, const Axes& axes, bool keep);

at::Tensor sum(const at::Tensor& x, const Axes& axes, bool keep) {
  return at::sum(x, axes, keep, x.scalar_type());
}

at::Tensor mean(const at::Tensor& x, const Axes& axes, bool keep) {
  if (!is_whole(x)) return at::mean(x, axes, keep);
  std::int64_t count = 1;
  for (const std::int64_t axis : axes) count *= x.size(axis);
  return at::div(at::sum(x, axes, keep), count, "trunc").to(x.scalar_type());
}

at::Tensor max(const at::Tensor& x, const Axes& axes, bool keep) {
  return at::amax(x, axes, keep);
}

at::Tensor min(const at::Tensor& x, const Axes& axes, bool keep) {
  return at::amin(x, axes, keep);
}

at::Tensor prod(const at::Tensor& x, const Axes& axes, bool keep) {
  at::Tensor out = x;
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) out = at::prod(out, *axis, keep, x.scalar_type());
  return out;
}

at::Tensor l1(const at::Tensor& x, const Axes& axes, bool keep) {
  return sum(x.abs(), axes, keep);
}

at::Tensor l2(const at::Tensor& x, const Axes& axes, bool keep) {
  if (is_whole(x)) return at::linalg_vector_norm(x.to(at::kDouble), 2, axes, keep).to(x.scalar_type());
  return at::linalg_vector_norm(x, 2, axes, keep);
}

at::Tensor log_sum(const at::Tensor& x, const Axes& axes, bool keep) {
  return at::log(sum(x, axes, keep)).to(x.scalar_type());
}

at::Tensor log_sum_exp(const at::Tensor& x, const Axes& axes, bool keep) {
  if (is_whole(x)) return at::logsumexp(x.to(at::kDouble), axes, keep).to(x.scalar_type());
  return at::logsumexp(x, axes, keep);
}

at::Tensor sum_square(const at::Tensor& x, const Axes& axes, bool keep) {
  return sum(x * x, axes, keep);
}

// Axes are an attribute, or from some operator set on the second operand.
template <Function kFunction>
Kernel reduce(const Build& build) {
  const bool keep = build.flag("keepdims", true), nothing_is_none = build.flag("noop_with_empty_axes");
  return [=, fixed = build.integers("axes")](Call& call) {
    at::Tensor x = call.in(0);
    Axes axes = call.has(1) ? call.ints(1) : fixed;
    // Nothing is summed up, but squares, logarithms and the like are still taken.
    if (axes.empty() && nothing_is_none) return call.out(0, kFunction(x.unsqueeze(-1), {x.dim()}, false));
    const std::int64_t rank = x.dim();
    for (std::int64_t& axis : axes) axis = at::maybe_wrap_dim(axis, rank);
    std::sort(axes.begin(), axes.end());
    if (axes.empty())
      for (std::int64_t k = 0; k < rank; ++k) axes.push_back(k);
    // Without axes libtorch's functions differ in what they do.
    if (rank == 0) return call.out(0, kFunction(x.reshape({1}), {0}, false));
    call.out(0, kFunction(x, axes, keep));
  };
}

template <bool kLargest>
Kernel arg(const Build& build) {
  const std::int64_t axis = build.integer("axis", 0);
  const bool keep = build.flag("keepdims", true), last = build.flag("select_last_index");
  return [=](Call& call) {
    const at::Tensor x = last ? call.in(0).flip({axis}) : call.in(0);
    const at::Tensor first = kLargest ? at::argmax(x, axis, keep) : at::argmin(x, axis, keep);
    call.out(0, last ? x.size(axis) - 1 - first : first);
  };
}

}  // namespace

void add_reduce_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "ArgMax", arg<true>});
  entries.push_back({"", "ArgMin", arg<false>});
  entries.push_back({"", "ReduceL1", reduce<l1>});
  entries.push_back({"", "ReduceL2", reduce<l2>});
  entries.push_back({"", "ReduceLogSum", reduce<log_sum>});
  entries.push_back({"", "ReduceLogSumExp", reduce<log_sum_exp>});
  entries.push_back({"", "ReduceMax", reduce<max>});
  entries.push_back({"", "ReduceMean", reduce<mean>});
  entries.push_back({"", "ReduceMin", reduce<min>});
  entries.push_back({"", "ReduceProd", reduce<prod>});
  entries.push_back({"", "ReduceSum", reduce<sum>});
  entries.push_back({"", "ReduceSumSquare", reduce<sum_square>});
}

}  // namespace coppice::executor
