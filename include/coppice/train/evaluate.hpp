#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coppice/torch/calibration.hpp"
#include "coppice/torch/callable.hpp"

namespace coppice {

/// A number that tells how good outputs are: the mean over the samples of a batch, as a tensor of one element.
struct Metric {
  std::string name;
  std::function<at::Tensor(const std::vector<at::Tensor>& outputs, const at::Tensor& target)> mean;
  bool higher_is_better = true;
  std::function<double(double mean)> finish = {};  ///< What becomes of the mean over all samples; empty: nothing.
};

/// Share of samples (and positions) whose largest logit of the first output is that of the target: axes as
/// cross_entropy() takes them.
Metric accuracy();
/// "top5": share of samples whose target is among the k largest logits. Throws Error for k below 1.
Metric top_k(int k);

/// e to the mean cross-entropy over all tokens, of logits and targets as cross_entropy() takes them; rows are equally
/// long. Targets are class numbers, otherwise it throws Error.
Metric perplexity();

/// What a model does on some data.
struct Evaluation {
  std::int64_t samples = 0;
  std::optional<double> loss;  ///< Mean over the samples; none where no loss was asked for.
  std::vector<std::pair<std::string, double>> metrics;

  /// A metric by name; "loss" is the loss. Throws Error for a name that was not measured.
  double value(std::string_view name) const;
};

/// Runs a model over all the data once, in evaluation mode and without gradients; batches are moved to the device of
/// its first parameter. Batches count by their numbers of samples, also where cross_entropy() skips targets of -100; so
/// does a sample whose logits are NaN, which accuracy takes for one of the classes, and whose loss is NaN. The module's
/// training flags, buffers and libtorch's generators stay as they were. Throws Error for no data, and naming the batch
/// where the model, the loss or a metric fails.
Evaluation evaluate(const Callable& model, const BatchSource& data, const Loss& loss = cross_entropy(),
                    const std::vector<Metric>& metrics = {accuracy()});

}  // namespace coppice
