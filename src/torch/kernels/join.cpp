#include "torch/kernels/kernels.hpp"
#include "torch/kernels/operands.hpp"

namespace coppice::executor {
namespace {

Kernel concat(const Build& build) {
  return [axis = build.integer("axis", 1)](Call& call) { call.out(0, at::cat(all_operands(call), axis)); };
}

}  // namespace

void add_join_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "Concat", concat});
}

}  // namespace coppice::executor
