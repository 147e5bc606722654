#include <limits>

#include "coppice/base/error.hpp"
#include "coppice/torch/tensors.hpp"

#include "torch/kernels/bodies.hpp"
#include "torch/kernels/kernels.hpp"
#include "torch/kernels/operands.hpp"

namespace coppice::executor {
namespace {

using Tensors = std::vector<at::Tensor>;

Kernel branch(const Build& build) {
  return [yes = build.body("then_branch"), no = build.body("else_branch")](Call& call) {
    const Tensors out = call.run(call.number(0) != 0 ? *yes : *no, {});
    if (out.size() < call.output_count()) throw Error("a branch has fewer outputs than the node");
    for (std::size_t i = 0; i < call.output_count(); ++i) call.out(i, out[i]);
  };
}

// Inputs of the body: iteration, condition, what is carried. Outputs: condition, what is carried, what is collected.
Kernel loop(const Build& build) {
  const Body body(build, "body");
  return [body](Call& call) {
    const std::size_t carried = call.input_count() < 2 ? 0 : call.input_count() - 2;
    const std::int64_t limit = call.has(0) ? one_integer(call, 0) : std::numeric_limits<std::int64_t>::max();
    bool go_on = !call.has(1) || call.number(1) != 0;
    Tensors state;
    for (std::size_t i = 0; i < carried; ++i) state.push_back(call.in(2 + i));
    if (body.output_count() < 1 + carried) throw Error("body: expected an output for each value that is carried");
    std::vector<Tensors> collected(body.output_count() - 1 - carried);
    for (std::int64_t i = 0; go_on && i < limit; ++i) {
      Tensors inputs{at::scalar_tensor(i, at::kLong), at::scalar_tensor(true, at::kBool)};
      inputs.insert(inputs.end(), state.begin(), state.end());
      Tensors out = body.run(call, std::move(inputs));
      go_on = out[0].item<bool>();
      for (std::size_t k = 0; k < carried; ++k) state[k] = std::move(out[1 + k]);
      for (std::size_t k = 0; k < collected.size(); ++k) collected[k].push_back(std::move(out[1 + carried + k]));
    }
    for (std::size_t k = 0; k < carried; ++k) call.out(k, state[k]);
    for (std::size_t k = 0; k < collected.size(); ++k)
      call.out(carried + k, body.stack(collected[k], 1 + carried + k, 0));
  };
}

}  // namespace

void add_control_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "If", branch});
  entries.push_back({"", "Loop", loop});
}

}  // namespace coppice::executor
