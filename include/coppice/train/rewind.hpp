#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "coppice/train/callback.hpp"
#include "coppice/train/ticket.hpp"
#include "coppice/train/trainer.hpp"

namespace coppice {

/// Remembers how a training stood when an epoch began: weights and optimizer. Afterwards a cut model goes back there,
/// - with its weights as they are and only the rate rewound: a Trainer with rewound() options, and restore() at will
///   (Renda et al., Comparing Rewinding and Fine-tuning in Neural Network Pruning, 2020);
/// - or with the weights of then: reset_to_ticket() first.
class RewindPoint : public Callback {
 public:
  /// `epoch` from 0. Throws Error below that.
  explicit RewindPoint(std::int64_t epoch = 0);

  void before_epoch(Trainer& trainer) override;
  void save(torch::serialize::OutputArchive& archive) const override;
  void load(torch::serialize::InputArchive& archive, Trainer& trainer) override;

  bool reached() const { return ticket_.has_value(); }
  /// Throws Error when the training did not reach the epoch.
  const Ticket& ticket() const;
  /// Gives an optimizer of the same kind and parameters the momenta of then, cut along `plan` (Pruner::plan()), but no
  /// rate. Throws Error when the epoch was not reached, and, leaving the optimizer without momenta, when plan and model
  /// do not make their shapes.
  void restore(const Callable& model, torch::optim::Optimizer& optimizer, const pruning::Plan& plan = {}) const;

 private:
  std::int64_t epoch_;
  std::optional<Ticket> ticket_;
  std::string optimizer_;  // an archive
};

/// The options of a training from the beginning as those of its part from an epoch on: the learning rate goes on where
/// it stood then. Throws Error unless 0 <= epoch < epochs, and for trainings that are given in steps.
TrainerOptions rewound(TrainerOptions options, std::int64_t epoch);
/// The options of its part before an epoch, to come to that point once more. Throws Error unless 0 < epoch <= epochs,
/// and for trainings that are given in steps.
TrainerOptions up_to(TrainerOptions options, std::int64_t epoch);

}  // namespace coppice
