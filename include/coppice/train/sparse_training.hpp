#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "coppice/coupling/couplings.hpp"
#include "coppice/train/callback.hpp"

namespace coppice {

namespace train {
class CoupledUnits;
struct UnitGroup;
}  // namespace train

/// Whose units a penalty falls on: those that a Pruner of the same options could remove.
struct SparseTrainingOptions {
  std::vector<at::Tensor> example_inputs{};   ///< Empty: the first sample of the training.
  std::vector<std::string> ignored_layers{};  ///< As in PrunerOptions.
  coupling::Options coupling{};
};

/// A penalty on the units of a model while it trains, which makes some of them small enough to go. It acts on the
/// gradients before every step, after they were clipped, and only on parameters that have one: weights and scales, not
/// biases. A group of units that has come down to one is left alone. When a PruneCallback cuts the model, the penalty
/// goes on with the units that are left. Throws Error in before_fit() when the model has no unit that could go.
class SparseTraining : public Callback {
 public:
  explicit SparseTraining(SparseTrainingOptions options);
  ~SparseTraining() override;

  void before_fit(Trainer& trainer) override;
  void before_step(Trainer& trainer) override;
  void after_cut(Trainer& trainer, const Pruner& pruner) override;

 protected:
  /// Called for every group of two units or more, in the same order each time.
  virtual void penalise(Trainer& trainer, std::size_t number, const train::UnitGroup& group) = 0;
  const train::CoupledUnits& units() const { return *units_; }

 private:
  SparseTrainingOptions options_;
  std::unique_ptr<train::CoupledUnits> units_;
};

/// On every scale gamma of a BatchNormalization: gradient += strength sign(gamma), the L1 penalty of Liu et al.,
/// Network Slimming, 2017. As a group lasso over the scales of a unit: strength gamma / sqrt(mean gamma^2 + 1e-9), with
/// the mean over the scales that go together.
class BatchNormScale : public SparseTraining {
 public:
  explicit BatchNormScale(double strength = 1e-5, bool group_lasso = false, SparseTrainingOptions options = {});

 protected:
  void penalise(Trainer& trainer, std::size_t number, const train::UnitGroup& group) override;

 private:
  double strength_;
  bool group_lasso_;
};

/// On every weight w of unit k: gradient += strength gamma_k w with gamma_k = 16^((max I - I_k) / (max I - min I)),
/// where I_k is the square root of the unit's importance: sum w^2 over a slice, the mean over the slices of the unit
/// (importance::Criterion::l2). All gamma are 1 where all units weigh the same. Source: Fang et al., DepGraph, 2023,
/// equation 4.
class GroupNormRegulariser : public SparseTraining {
 public:
  explicit GroupNormRegulariser(double strength = 1e-4, SparseTrainingOptions options = {});

 protected:
  void penalise(Trainer& trainer, std::size_t number, const train::UnitGroup& group) override;

 private:
  double strength_;
};

/// On every weight w of unit k: gradient += rho_k w. The strength rho_k is `delta` at first, and grows by
/// delta (max s - s_k) / (max s - min s + 1e-8), where s_k is the unit's importance as above. After Wang et al., Neural
/// Pruning via Growing Regularization, 2021, with the step scaled by importance.
class Growing : public SparseTraining {
 public:
  /// Grows every `every` steps; 0: as every epoch but the first begins.
  explicit Growing(double delta = 1e-5, std::int64_t every = 0, SparseTrainingOptions options = {});

  void before_fit(Trainer& trainer) override;
  void save(torch::serialize::OutputArchive& archive) const override;
  void load(torch::serialize::InputArchive& archive, Trainer& trainer) override;

  /// By group, in float64: the strength on every unit that could go when fit() began, also on those that have gone.
  const std::vector<at::Tensor>& strengths() const { return strengths_; }

 protected:
  void penalise(Trainer& trainer, std::size_t number, const train::UnitGroup& group) override;

 private:
  double delta_;
  std::int64_t every_;
  std::vector<at::Tensor> strengths_;
};

}  // namespace coppice
