#pragma once
#include <cstdint>
#include <memory>

#include "coppice/sparsity/sparsifier.hpp"
#include "coppice/torch/evidence.hpp"
#include "coppice/train/callback.hpp"
#include "coppice/train/prune_callback.hpp"

namespace coppice {

/// When a SparsifyCallback chooses.
struct SparsifySchedule {
  Schedule schedule = Schedule::agp;
  PruneWindow window{};
  double initial = 0;          ///< The sparsity that the window begins with.
  std::int64_t frequency = 1;  ///< Chooses at every so many steps of the window, and at its last.
};

/// As SparsifyCallback::masks() or a Ticket has them.
struct FixedMasks {
  NamedTensors masks;
};

/// The zeros that the weights of layers have when training begins, after a cut those of what is left.
struct PresentZeros {};

/// Zeros while a network trains: after a step it chooses as many weights as the schedule says by then, and keeps them
/// zero after every step that follows. With agp, gradual magnitude pruning (Zhu and Gupta, To Prune, or Not to Prune,
/// 2017): s_t = s_f + (s_i - s_f) (1 - t)^3 over the window. A pattern N:M comes whole with the window's beginning.
///
/// Of a module written in C++ the layers are those of its trace on the first sample. Where another callback cuts the
/// model, the weights that are left are chosen from anew. Every epoch's record gets "zeros": the share of the weights
/// of all layers that are sparse, in percent, counted.
/// Time of a step: 1 byte of mask and a read and a write a weight; of choosing, two passes over the weights.
class SparsifyCallback : public Callback {
 public:
  /// Throws Error for a window that does not lie within 0 to 1, for numbers out of range, and for small_final, which
  /// would take zeros back.
  explicit SparsifyCallback(sparsity::SparsifyOptions what, SparsifySchedule when = {});
  /// Keeps zero what these masks say, from before the first step on. Of a model whose widths stay.
  explicit SparsifyCallback(FixedMasks fixed);
  /// Keeps zero what is zero already, such as the weights of a model that was made sparse before.
  explicit SparsifyCallback(PresentZeros present);
  ~SparsifyCallback() override;

  void before_fit(Trainer& trainer) override;
  void before_batch(Trainer& trainer) override;
  void after_step(Trainer& trainer) override;
  void after_epoch(Trainer& trainer) override;
  void after_cut(Trainer& trainer, const Pruner& pruner) override;
  bool settled(const Trainer& trainer) const override;
  void save(torch::serialize::OutputArchive& archive) const override;
  void load(torch::serialize::InputArchive& archive, Trainer& trainer) override;

  /// The sparsity after step `step` of `steps`, from 0, of weights that no layer's own says.
  double sparsity(std::int64_t step, std::int64_t steps) const;
  /// What stays, by the name of the weight: bool, in its shape. Empty before the first choice.
  NamedTensors masks() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace coppice
