#include <algorithm>

#include "coppice/base/error.hpp"

#include "torch/kernels/kernels.hpp"

namespace coppice::executor {
namespace {

// The element of an axis that stands at `at`, which may lie outside.
std::int64_t source(std::int64_t at, std::int64_t extent, const std::string& mode) {
  if (mode == "edge") return std::clamp(at, std::int64_t{0}, extent - 1);
  const std::int64_t period = mode == "wrap" ? extent : std::max<std::int64_t>(2 * (extent - 1), 1);
  const std::int64_t phase = ((at % period) + period) % period;
  return mode == "wrap" || phase < extent ? phase : period - phase;
}

at::Tensor pad_axis(const at::Tensor& x, std::int64_t axis, std::int64_t begin, std::int64_t end,
                    const std::string& mode) {
  const std::int64_t extent = x.size(axis);
  if (extent == 0) throw Error("mode " + mode + ": expected something to pad with, found an extent of 0");
  std::vector<std::int64_t> index;
  for (std::int64_t k = -begin; k < extent + end; ++k) index.push_back(source(k, extent, mode));
  return x.index_select(axis, at::tensor(index, at::kLong).to(x.device()));
}

at::Tensor pad(const at::Tensor& x, const std::vector<std::int64_t>& begins, const std::vector<std::int64_t>& ends,
               const std::string& mode, const at::Scalar& value) {
  if (mode == "constant") {
    std::vector<std::int64_t> from_last;  // as libtorch wants them
    for (std::size_t k = begins.size(); k-- > 0;) from_last.insert(from_last.end(), {begins[k], ends[k]});
    return at::constant_pad_nd(x, from_last, value);
  }
  at::Tensor out = x;
  for (std::size_t k = 0; k < begins.size(); ++k)
    if (begins[k] != 0 || ends[k] != 0) out = pad_axis(out, static_cast<std::int64_t>(k), begins[k], ends[k], mode);
  return out;
}

Kernel pad(const Build& build) {
  const std::string mode = build.text("mode", "constant");
  if (mode != "constant" && mode != "reflect" && mode != "edge" && mode != "wrap")
    throw Error("mode: expected constant, reflect, edge or wrap, found " + mode);
  const auto fixed = build.integers(build.node().has("paddings") ? "paddings" : "pads");
  return [=, value = build.real("value", 0)](Call& call) {
    const at::Tensor& x = call.in(0);
    const std::vector<std::int64_t> pads = call.has(1) ? call.ints(1) : fixed;
    std::vector<std::int64_t> axes;
    if (call.has(3)) axes = call.ints(3);
    for (std::int64_t k = 0; k < x.dim() && !call.has(3); ++k) axes.push_back(k);
    if (pads.size() != 2 * axes.size())
      throw Error("pads: expected " + std::to_string(2 * axes.size()) + ", found " + std::to_string(pads.size()));
    std::vector<std::int64_t> begins(static_cast<std::size_t>(x.dim())), ends = begins;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const auto axis = static_cast<std::size_t>(at::maybe_wrap_dim(axes[i], x.dim()));
      begins[axis] = pads[i];
      ends[axis] = pads[i + axes.size()];
    }
    call.out(0, pad(x, begins, ends, mode, call.has(2) ? call.in(2).item() : at::Scalar(value)));
  };
}

}  // namespace

void add_pad_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "Pad", pad});
}

}  // namespace coppice::executor
