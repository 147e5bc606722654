#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coppice/train/callback.hpp"

namespace coppice {

/// At the end of a training, puts back the parameters and buffers of its best epoch by the validation: of equal ones
/// the earliest. Only epochs since the last change of widths count, and of a network that is made sparse those with
/// all its zeros, so that a pruned network never makes place for a larger one. Give it after callbacks that change what
/// an epoch ends with. The optimizer stays as it is.
class KeepBest : public Callback {
 public:
  /// A metric of the training, or "loss".
  explicit KeepBest(std::string metric = "accuracy") : metric_(std::move(metric)) {}

  /// Throws Error for a metric that the training does not measure, and when it has no validation data.
  void before_fit(Trainer& trainer) override;
  void after_epoch(Trainer& trainer) override;
  void after_fit(Trainer& trainer) override;
  void save(torch::serialize::OutputArchive& archive) const override;
  void load(torch::serialize::InputArchive& archive, Trainer& trainer) override;

  /// The best epoch so far, from 0, and its value; none before the first has ended.
  std::optional<std::int64_t> epoch() const { return epoch_; }
  double value() const { return value_; }

 private:
  std::string metric_;
  bool higher_is_better_ = true;
  std::optional<std::int64_t> epoch_;
  double value_ = 0;
  std::vector<at::Tensor> state_;
};

}  // namespace coppice
