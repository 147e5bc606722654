#include <tuple>

#include "coppice/base/error.hpp"

#include "torch/kernels/convolve.hpp"
#include "torch/kernels/kernels.hpp"

namespace coppice::executor {
namespace {

struct BatchNorm {
  double epsilon = 1e-5, momentum = 0.9;  ///< The old value's share; libtorch's momentum is that of the new one.
  bool batch = false;                     ///< The node takes the batch's statistics even in evaluation mode.
  bool running = false;                   ///< The running statistics are constants, which training updates in place.
};

// Older operator sets tell training from the results that the node has.
bool takes_batch(const Build& build) {
  if (build.opset() >= 14) return build.flag("training_mode");
  if (build.opset() >= 7) return build.node().output(1) != graph::no_value;
  return !build.flag("is_test");
}

// Statistics over all axes but the channels.
std::tuple<at::Tensor, at::Tensor> statistics(const at::Tensor& x) {
  std::vector<std::int64_t> axes{0};
  for (std::int64_t k = 2; k < x.dim(); ++k) axes.push_back(k);
  return at::var_mean(x, axes, /*unbiased=*/false);
}

at::Tensor mixed(const at::Tensor& old, const at::Tensor& now, double momentum) {
  return old * momentum + now * (1 - momentum);
}

// The results behind the first: running mean and variance, and before operator set 14 those of the batch.
void put_statistics(Call& call, const BatchNorm& norm) {
  if (!call.wants(1) && !call.wants(2) && !call.wants(3) && !call.wants(4)) return;
  const auto [var, mean] = statistics(call.in(0));
  call.out(1, mixed(call.in(3), mean, norm.momentum));
  call.out(2, mixed(call.in(4), var, norm.momentum));
  call.out(3, mean);
  call.out(4, var);
}

void train(Call& call, const BatchNorm& norm) {
  const bool updates = norm.running && (call.training() || call.renewal());
  // Of one value there is no spread: the running variance would become NaN, and the network with it.
  const at::Tensor& x = call.in(0);
  if (updates && x.numel() == x.size(1))
    throw Error(
        "batch norm: expected two values or more a channel to train on, found one: a batch of one sample, such "
        "as the last of an epoch; another batch size leaves a larger one");
  put_statistics(call, norm);
  const at::Tensor none;
  call.out(0,
           at::batch_norm(call.in(0), call.in(1), call.in(2), updates ? call.in(3) : none, updates ? call.in(4) : none,
                          true, call.renewal().value_or(1 - norm.momentum), norm.epsilon, true));
}

// One scale for each element of a sample.
Kernel per_element(const BatchNorm& norm) {
  return [=](Call& call) {
    const at::Tensor& x = call.in(0);
    if (!norm.batch && !call.training())
      return call.out(0, (x - call.in(3)) / at::sqrt(call.in(4) + norm.epsilon) * call.in(1) + call.in(2));
    const auto [var, mean] = at::var_mean(x, std::vector<std::int64_t>{0}, false);
    call.out(0, (x - mean) / at::sqrt(var + norm.epsilon) * call.in(1) + call.in(2));
  };
}

Kernel batch_norm(const Build& build) {
  BatchNorm norm{build.real("epsilon", 1e-5), build.real("momentum", 0.9), takes_batch(build), true};
  for (std::size_t i = 3; i < 5; ++i) norm.running &= build.graph().constant(build.node().input(i)) != nullptr;
  if (!build.flag("spatial", true)) return per_element(norm);
  return [=](Call& call) {
    if (norm.batch || call.training() || call.renewal()) return train(call, norm);
    const at::Tensor& x = call.in(0);
    if (call.in(3).scalar_type() == x.scalar_type() && call.in(1).scalar_type() == x.scalar_type())
      return call.out(0, at::batch_norm(x, call.in(1), call.in(2), call.in(3), call.in(4), false, 1 - norm.momentum,
                                        norm.epsilon, true));
    // Scales and statistics of wider types.
    const at::Tensor scale = call.in(1) / at::sqrt(call.in(4) + norm.epsilon);
    const at::Tensor shift = call.in(2) - call.in(3) * scale;
    call.out(0, (x * along_channels(scale, x.dim()) + along_channels(shift, x.dim())).to(x.scalar_type()));
  };
}

}  // namespace

void add_batch_norm_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "BatchNormalization", batch_norm});
}

}  // namespace coppice::executor
