#pragma once
#include <functional>

#include "coppice/torch/callable.hpp"
#include "coppice/torch/libtorch.hpp"

namespace coppice {

class Pruner;
class Trainer;

/// Work at given moments of a training; each is told the Trainer, which shows where it stands. Callbacks run in the
/// order in which they were given.
class Callback {
 public:
  virtual ~Callback() = default;

  virtual void before_fit(Trainer&) {}
  virtual void before_epoch(Trainer&) {}
  virtual void before_batch(Trainer&) {}    ///< May change Trainer::batch().
  virtual void after_loss(Trainer&) {}      ///< Outputs and loss are there; may replace Trainer::loss().
  virtual void after_backward(Trainer&) {}  ///< After every batch, also one whose gradients are accumulated.
  virtual void before_step(Trainer&) {}     ///< The step's gradients are complete, and clipped.
  virtual void after_step(Trainer&) {}
  virtual void after_batch(Trainer&) {}
  virtual void after_epoch(Trainer&) {}  ///< The epoch was validated; may add to Trainer::record().
  virtual void after_fit(Trainer&) {}

  /// Whether the structure, widths and zeros, is by now what this callback wants it to end as: before, KeepBest counts
  /// no epoch.
  virtual bool settled(const Trainer&) const { return true; }

  /// A callback cut the model, in before_step() or load(): widths have changed. Told by Trainer::announce_cut().
  virtual void after_cut(Trainer&, const Pruner&) {}

  /// An IterativePruner, which trains after every cut, shows the model as it came, before the first of them. `original`
  /// makes a frozen_copy() of it, or gives the one that is there, which a checkpoint of the rounds brings back.
  virtual void before_rounds(const std::function<Callable()>& original) { static_cast<void>(original); }

  /// What it needs to go on after Trainer::resume(): written between two steps, and read after before_fit() into a
  /// callback made the same way, before the trainer loads the weights. A callback that changes the shapes of weights
  /// must have changed them when load() returns.
  virtual void save(torch::serialize::OutputArchive&) const {}
  virtual void load(torch::serialize::InputArchive&, Trainer&) {}
};

}  // namespace coppice
