#include "coppice/base/error.hpp"

#include "torch/kernels/kernels.hpp"

namespace coppice::executor {
namespace {

std::int64_t block_size(const Build& build) {
  const std::int64_t size = build.integer("blocksize", 0);
  if (size < 1) throw Error("blocksize: expected 1 or more, found " + std::to_string(size));
  return size;
}

Kernel depth_to_space(const Build& build) {
  const std::int64_t block = block_size(build);
  const std::string mode = build.text("mode", "DCR");
  if (mode != "DCR" && mode != "CRD") throw Error("mode: expected DCR or CRD, found " + mode);
  return [=](Call& call) {
    const at::Tensor& x = call.in(0);
    const std::int64_t n = x.size(0), c = x.size(1) / (block * block), h = x.size(2), w = x.size(3);
    const at::Tensor split = mode == "DCR" ? x.reshape({n, block, block, c, h, w}).permute({0, 3, 4, 1, 5, 2})
                                           : x.reshape({n, c, block, block, h, w}).permute({0, 1, 4, 2, 5, 3});
    call.out(0, split.reshape({n, c, h * block, w * block}));
  };
}

Kernel space_to_depth(const Build& build) {
  return [block = block_size(build)](Call& call) {
    const at::Tensor& x = call.in(0);
    const std::int64_t n = x.size(0), c = x.size(1), h = x.size(2) / block, w = x.size(3) / block;
    const at::Tensor split = x.reshape({n, c, h, block, w, block}).permute({0, 3, 5, 1, 2, 4});
    call.out(0, split.reshape({n, c * block * block, h, w}));
  };
}

}  // namespace

void add_space_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "DepthToSpace", depth_to_space});
  entries.push_back({"", "SpaceToDepth", space_to_depth});
}

}  // namespace coppice::executor
