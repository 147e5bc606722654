#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coppice/torch/pruner.hpp"
#include "coppice/train/optimizer.hpp"
#include "coppice/train/trainer.hpp"

namespace coppice {

/// One round of cutting a little and training again.
struct IterativeRecord {
  int iteration = 0;    ///< From 1; rounds that were taken back count.
  double rate = 0;      ///< Share of the units that were left before that the round took.
  double sparsity = 0;  ///< Share of the units of the beginning that shall be gone now.
  std::int64_t parameters = 0;
  double macs = 0;
  std::optional<Evaluation> after_cut, after_tuning;  ///< On the validation data, where there are any.
  bool accepted = false;
  History history{};  ///< Of the fine-tuning.
};

/// What an IterativePruner did.
struct IterativeReport {
  std::int64_t parameters_before = 0, parameters = 0;
  double macs_before = 0, macs = 0;
  std::optional<Evaluation> base;  ///< Of the model as it came.
  std::vector<IterativeRecord> iterations;
  bool reached = false;  ///< Whether all went that was to go.

  /// A line for the model as it came and for every iteration, with the first metric (without any, the loss) after the
  /// cut and after tuning; at most 80 columns.
  std::string text() const;
  std::string json() const;
  /// What json() wrote. Throws Error on anything else.
  static IterativeReport parse(const std::string& json);
};

struct IterativeOptions {
  /// What goes in the end: the ratio, or target_macs or target_parameters. `iterative_steps`, `schedule`, `plan` and
  /// `optimizer` are not looked at; example inputs that are not given are the first sample of the training data.
  PrunerOptions pruning;
  int iterations = 5;
  /// Of each fine-tuning, made anew after every cut.
  OptimizerOptions optimizer{};
  /// Epochs, learning rate, loss, callbacks (KeepBest, distillation) of each fine-tuning; `validation` is what the
  /// decisions are made on: held-out data, never the test set. Its seed differs from round to round, and its epochs
  /// count on. A checkpoint is refused: it has its own here.
  TrainerOptions tuning{};
  /// Whether a round's result is good enough, beside the model as it came. Nothing given: always.
  std::function<bool(const Evaluation& base, const Evaluation& now)> acceptable{};
  int backoffs = 3;      ///< How often it goes on at a smaller rate after a round was taken back.
  double backoff = 0.5;  ///< What the rate is multiplied by then, for good.
  std::function<void(const IterativeRecord&)> on_iteration{};
  std::string checkpoint{};  ///< Where to save after every round; empty: nowhere.
};

/// Prune a little, fine-tune, look: until the target is reached, or a model that is not acceptable has been taken back
/// too often. Then the smallest acceptable model stays.
///
/// With a target t (the ratio; of several the largest; 1 - target_macs) and n iterations, every round takes the share
/// 1 - (1 - t)^(1/n) of the units that are left, so that after k rounds 1 - (1 - t)^(k/n) of all are gone and the last
/// one arrives at t exactly; of a target's ratio, which is found by search, and of several ratios every round takes the
/// same share of the way. A round that is not acceptable is taken back with all it trained. Rounds too small to take
/// any unit pass into the next one.
class IterativePruner {
 public:
  /// Throws Error for options out of range, for `acceptable` without validation data, and as Pruner does.
  IterativePruner(Callable model, BatchSource data, IterativeOptions options);
  ~IterativePruner();

  /// Does all of it. When a callback stops a training (Trainer::stop()), that round is taken back and the work ends.
  /// On an Error the model is as it was after the last accepted round.
  const IterativeReport& run();
  /// For a pruner made the same way for a fresh module: run() then goes on with the round after the last one that was
  /// saved, and ends with the same weights, bit for bit, as if it had never been stopped. Throws Error when the file is
  /// of another model or other options.
  void resume(const std::string& path);
  const IterativeReport& report() const;
  const Pruner& pruner() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coppice
