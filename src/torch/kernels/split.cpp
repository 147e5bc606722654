#include <algorithm>

#include "coppice/base/error.hpp"

#include "torch/kernels/kernels.hpp"

namespace coppice::executor {
namespace {

// Parts of equal size; the last one takes what is left.
std::vector<std::int64_t> equal_parts(std::int64_t extent, std::int64_t count) {
  const std::int64_t part = (extent + count - 1) / count;
  std::vector<std::int64_t> out;
  for (std::int64_t i = 0; i < count; ++i) out.push_back(std::clamp(extent - i * part, std::int64_t{0}, part));
  return out;
}

Kernel split(const Build& build) {
  const std::int64_t axis = build.integer("axis", 0);
  const std::int64_t count = build.integer("num_outputs", static_cast<std::int64_t>(build.node().outputs.size()));
  if (count < 1) throw Error("num_outputs: expected 1 or more, found " + std::to_string(count));
  return [=, fixed = build.integers("split")](Call& call) {
    std::vector<std::int64_t> sizes = call.has(1) ? call.ints(1) : fixed;
    if (sizes.empty()) sizes = equal_parts(call.in(0).size(axis), count);
    if (sizes.size() < call.output_count())
      throw Error("split: expected " + std::to_string(call.output_count()) + " sizes, found " +
                  std::to_string(sizes.size()));
    const std::vector<at::Tensor> parts = at::split_with_sizes(call.in(0), sizes, axis);
    for (std::size_t i = 0; i < call.output_count(); ++i) call.out(i, parts[i]);
  };
}

}  // namespace

void add_split_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "Split", split});
}

}  // namespace coppice::executor
