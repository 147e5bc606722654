#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coppice/base/progress.hpp"
#include "coppice/torch/calibration.hpp"
#include "coppice/torch/callable.hpp"
#include "coppice/train/callback.hpp"
#include "coppice/train/evaluate.hpp"
#include "coppice/train/history.hpp"
#include "coppice/train/learning_rate.hpp"
#include "coppice/train/precision.hpp"

namespace torch::optim {
class Optimizer;
}

namespace coppice {

struct TrainerOptions {
  std::int64_t epochs = 1;
  std::optional<std::int64_t> steps{};  ///< In place of epochs: ends after so many, perhaps within an epoch.
  Loss loss = cross_entropy();
  LearningRate learning_rate{};
  double clip_norm = 0;         ///< Gradients are scaled down to this L2 norm over all parameters; 0: never.
  std::int64_t accumulate = 1;  ///< Batches whose gradients make one step.
  Precision precision = Precision::float32;
  BatchSource validation{};  ///< Measured after every epoch: held-out data, never the test set.
  std::vector<Metric> metrics{accuracy()};
  std::uint64_t seed = 0;
  std::vector<std::shared_ptr<Callback>> callbacks{};
  std::string checkpoint{};                            ///< Where to save; empty: nowhere.
  std::int64_t checkpoint_steps = 0;                   ///< Save every so many steps; 0: only when stopped.
  std::function<void(const EpochRecord&)> on_epoch{};  ///< Told of every epoch that ended.
  base::Progress* progress = nullptr;                  ///< Told of every step, and of the mean loss.
};

/// The loop of training: any module, libtorch's optimizers, any batches.
///
/// Every epoch begins with libtorch's generators at a seed made from `seed` and the epoch's number, so that the same
/// options give the same weights, as far as libtorch's kernels do: those of the CPU do with the same number of threads.
class Trainer {
 public:
  /// `optimizer` holds the model's parameters at their base learning rates, which it has again after fit(), and must
  /// outlive this. `data` without a known length are gone through once to count the batches. Throws Error for options
  /// out of range.
  Trainer(Callable model, torch::optim::Optimizer& optimizer, BatchSource data, TrainerOptions options = {});
  ~Trainer();

  /// Trains to the end, from the beginning or from where resume() or stop() left it. Returns with less when stop() is
  /// called meanwhile.
  /// Throws Error naming epoch and batch for what the model, the loss or a callback throws, and for a loss that is not
  /// finite; the weights are then as they were at that moment.
  const History& fit();
  /// Ends fit() after the step at hand, saving a checkpoint where `checkpoint` says; safe to call from signal handlers
  /// and other threads. Before fit() it is forgotten.
  void stop() { stopping_ = true; }
  bool stopped() const { return stopping_; }

  /// Writes everything that fit() needs to go on: weights, the optimizer, generators, place, history, callbacks. The
  /// file is complete or as it was. Between two steps only, once fit() has begun: after it, or in after_batch() behind
  /// the last batch of a step; throws Error elsewhere.
  void save(const std::string& path) const;
  /// For a trainer made the same way for a fresh model: fit() then goes on, and ends with the same weights, bit for
  /// bit, as if it had never been stopped. Throws Error when the file is of another model, or of another seed, length,
  /// learning rate, clip norm or number of batches a step; losses and metrics are not compared.
  void resume(const std::string& path);

  /// For callbacks that cut the model: tells all of them.
  void announce_cut(const Pruner& pruner);

  // Where it stands, for callbacks.
  const Callable& model() const { return model_; }
  torch::optim::Optimizer& optimizer() const { return optimizer_; }
  const TrainerOptions& options() const { return options_; }
  std::int64_t epoch() const { return epoch_; }                      ///< From 0.
  std::int64_t step() const { return step_; }                        ///< Steps taken, over all epochs.
  std::int64_t steps() const { return steps_; }                      ///< In all; known from before_fit() on.
  std::int64_t steps_per_epoch() const { return steps_per_epoch_; }  ///< The same.
  Batch& batch() { return batch_; }
  const std::vector<at::Tensor>& outputs() const { return outputs_; }
  at::Tensor& loss() { return loss_; }
  /// The first sample of the first batch, on the model's device.
  std::vector<at::Tensor> example_inputs() const;
  EpochRecord& record() { return record_; }  ///< Of the epoch at hand.
  const History& history() const { return history_; }

 private:
  struct OwnRates;
  void begin();
  void run_epoch();
  void run_batch(Batch batch, at::Device device);
  void take_step();
  void end_epoch();
  void set_rate();
  template <class Moment>
  void tell(Moment moment);

  Callable model_;
  torch::optim::Optimizer& optimizer_;
  BatchSource data_;
  TrainerOptions options_;
  std::vector<double> base_rates_;
  std::vector<at::Tensor> parameters_;
  std::int64_t epochs_ = 0, batches_ = 0, steps_ = 0, steps_per_epoch_ = 0;
  std::int64_t epoch_ = 0, next_batch_ = 0, step_ = 0;
  std::vector<at::Tensor> generator_states_;  // to go on with in the middle of an epoch
  double loss_sum_ = 0, seconds_ = 0;
  std::int64_t samples_ = 0;
  Batch batch_;
  std::vector<at::Tensor> outputs_;
  at::Tensor loss_;
  EpochRecord record_;
  History history_;
  bool begun_ = false;
  std::atomic<bool> stopping_ = false;
};

}  // namespace coppice
