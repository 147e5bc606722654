#pragma once
#include <functional>
#include <memory>
#include <optional>

#include "coppice/torch/pruner.hpp"
#include "coppice/train/callback.hpp"

namespace coppice {

/// When a PruneCallback prunes, as shares of the training.
struct PruneWindow {
  /// Where the schedule begins; nothing given: at the beginning, but one_shot at 0.5, and iterative and agp at 0.2.
  std::optional<double> start{};
  double end = 1;
  /// A schedule of your own in place of PrunerOptions::schedule: from 0..1 of the window to 0..1 of the ratio.
  std::function<double(double position)> schedule{};
};

/// Structured pruning while a network trains: between backward pass and step, it cuts as much as the schedule says by
/// then, with the optimizer's state, so that every step works on what is left. Where no unit is due, a step costs a few
/// comparisons more.
///
/// At step s of S, from 0, the schedule stands at (s / S - start) / (end - start); the last step of the window arrives.
/// Every epoch's record gets "sparsity": the share of units that shall be gone, in percent (Hubens et al., One-Cycle
/// Pruning, 2021, as in fasterai's PruneCallback); for ratios by layer, the share of the way. Also "parameters" and
/// "macs", as they are.
class PruneCallback : public Callback {
 public:
  /// Example inputs that the options do not give are the first sample of the training; calibration data for criteria
  /// that look at data, the batch at hand; their loss, that of the training. `iterative_steps`, `plan` and `optimizer`
  /// are not looked at. Throws Error for a window that does not lie within 0 to 1.
  explicit PruneCallback(PrunerOptions options, PruneWindow window = {});
  ~PruneCallback() override;

  void before_fit(Trainer& trainer) override;
  void before_step(Trainer& trainer) override;
  void after_epoch(Trainer& trainer) override;
  void save(torch::serialize::OutputArchive& archive) const override;
  void load(torch::serialize::InputArchive& archive, Trainer& trainer) override;

  /// The amount for step `step` of `steps`, in 0..1 of the ratio.
  double share(std::int64_t step, std::int64_t steps) const;
  /// Null before fit() or resume().
  const Pruner* pruner() const { return pruner_.get(); }

 private:
  PrunerOptions options_;
  PruneWindow window_;
  std::unique_ptr<Pruner> pruner_;
  double share_ = 0;
};

}  // namespace coppice
