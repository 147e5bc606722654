#include "torch/kernels/kernels.hpp"
#include "torch/kernels/operands.hpp"

namespace coppice::executor {
namespace {

Kernel cum_sum(const Build& build) {
  const bool exclusive = build.flag("exclusive"), reverse = build.flag("reverse");
  return [=](Call& call) {
    const std::int64_t axis = one_integer(call, 1);
    const at::ScalarType type = call.in(0).scalar_type();
    at::Tensor x = reverse ? call.in(0).flip({axis}) : call.in(0);
    const std::int64_t extent = x.size(axis);
    if (exclusive && extent > 0)
      x = at::cat({at::zeros_like(x.narrow(axis, 0, 1)), x.narrow(axis, 0, extent - 1)}, axis);
    const at::Tensor sums = at::cumsum(x, axis, type);
    call.out(0, reverse ? sums.flip({axis}) : sums);
  };
}

Kernel trilu(const Build& build) {
  return [upper = build.flag("upper", true)](Call& call) {
    const std::int64_t diagonal = call.has(1) ? one_integer(call, 1) : 0;
    call.out(0, upper ? at::triu(call.in(0), diagonal) : at::tril(call.in(0), diagonal));
  };
}

}  // namespace

void add_running_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "CumSum", cum_sum});
  entries.push_back({"", "Trilu", trilu});
}

}  // namespace coppice::executor
