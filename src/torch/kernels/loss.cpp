#include <ATen/core/Reduction.h>

#include "coppice/base/error.hpp"

#include "torch/kernels/kernels.hpp"
#include "torch/kernels/operands.hpp"

namespace coppice::executor {
namespace {

struct Options {
  explicit Options(const Build& build) : ignored(build.integer("ignore_index", -100)) {
    const std::string name = build.text("reduction", "mean");
    if (name != "none" && name != "mean" && name != "sum")
      throw Error("reduction: expected none, mean or sum, found " + name);
    reduction = name == "none" ? at::Reduction::None : name == "mean" ? at::Reduction::Mean : at::Reduction::Sum;
  }
  std::int64_t ignored;
  std::int64_t reduction = 0;
};

// Of log-probabilities, with the classes on axis 1.
at::Tensor likelihood_loss(Call& call, at::Tensor log_chances, const Options& options) {
  at::Tensor classes = call.in(1), weight = call.maybe(2);
  to_one_device({&log_chances, &classes, &weight});
  return at::nll_loss_nd(log_chances, classes.to(at::kLong), weight, options.reduction, options.ignored);
}

Kernel negative_log_likelihood_loss(const Build& build) {
  return [options = Options(build)](Call& call) { call.out(0, likelihood_loss(call, call.in(0), options)); };
}

Kernel softmax_cross_entropy_loss(const Build& build) {
  return [options = Options(build)](Call& call) {
    const at::Tensor log_chances = at::log_softmax(call.in(0), 1);
    call.out(0, likelihood_loss(call, log_chances, options));
    call.out(1, log_chances);
  };
}

}  // namespace

void add_loss_kernels(std::vector<KernelEntry>& entries) {
  entries.push_back({"", "NegativeLogLikelihoodLoss", negative_log_likelihood_loss});
  entries.push_back({"", "SoftmaxCrossEntropyLoss", softmax_cross_entropy_loss});
}

}  // namespace coppice::executor
