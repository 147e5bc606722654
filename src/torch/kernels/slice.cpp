#include <algorithm>

#include "coppice/base/error.hpp"

#include "torch/kernels/kernels.hpp"

namespace coppice::executor {
namespace {

struct Bounds {
  std::vector<std::int64_t> starts, ends, axes, steps;
};

at::Tensor slice_axis(const at::Tensor& x, std::int64_t axis, std::int64_t start, std::int64_t end, std::int64_t step) {
  if (step == 0) throw Error("steps: expected a step, found 0");
  const std::int64_t extent = x.size(axis);
  const std::int64_t low = step > 0 ? 0 : -1, high = step > 0 ? extent : extent - 1;
  if (start < 0) start += extent;
  if (end < 0) end += extent;
  start = std::clamp(start, std::int64_t{0}, std::max(high, std::int64_t{0}));
  end = std::clamp(end, low, std::max(high, low));
  if (step > 0) return x.slice(axis, start, std::max(start, end), step);
  // libtorch goes forwards only: the same elements from the other side, turned round.
  if (start <= end) return x.narrow(axis, 0, 0);
  const std::int64_t last = start - (start - end - 1) / -step * -step;
  return x.slice(axis, last, start + 1, -step).flip({axis});
}

Kernel slice(const Build& build) {
  Bounds fixed{build.integers("starts"), build.integers("ends"), build.integers("axes"), {}};
  return [fixed = std::move(fixed)](Call& call) {
    const bool operands = call.has(1);
    const auto starts = operands ? call.ints(1) : fixed.starts, ends = operands ? call.ints(2) : fixed.ends;
    auto axes = call.has(3) ? call.ints(3) : fixed.axes, steps = call.has(4) ? call.ints(4) : fixed.steps;
    for (std::size_t i = axes.size(); i < starts.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
    steps.resize(starts.size(), 1);
    if (ends.size() != starts.size() || axes.size() != starts.size())
      throw Error("starts, ends and axes: expected the same number of each");
    at::Tensor out = call.in(0);
    for (std::size_t i = 0; i < starts.size(); ++i)
      out = slice_axis(out, at::maybe_wrap_dim(axes[i], out.dim()), starts[i], ends[i], steps[i]);
    call.out(0, out);
  };
}

}  // namespace

void add_slice_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "Slice", slice});
}

}  // namespace coppice::executor
