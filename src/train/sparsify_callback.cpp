#include "coppice/train/sparsify_callback.hpp"

#include <cmath>
#include <optional>
#include <utility>

#include <torch/serialize/archive.h>

#include "coppice/base/error.hpp"
#include "coppice/train/trainer.hpp"

#include "sparsity/selection.hpp"
#include "torch/sparse/module_weights.hpp"
#include "train/archive_entries.hpp"
#include "train/window.hpp"

namespace coppice {

struct SparsifyCallback::State {
  sparsity::SparsifyOptions what;
  SparsifySchedule when;
  enum class Source { schedule, given, present } source = Source::schedule;
  double chosen = -1;  ///< The share of the way at the last choice; -1: none yet.
  std::optional<sparse::ModuleWeights> weights;
  NamedTensors given;                  ///< The masks, of that source.
  std::optional<NamedTensors> loaded;  ///< Those of a checkpoint, until the next batch.

  void find(Trainer& trainer) { weights.emplace(trainer.model(), trainer.example_inputs(), what); }

  double on_the_way(double sparsity, double share) const { return when.initial + (sparsity - when.initial) * share; }

  void choose(double share) {
    sparsity::SparsifyOptions now = what;
    now.sparsity = on_the_way(what.sparsity, share);
    for (auto& [name, layer] : now.layers) layer = on_the_way(layer, share);
    weights->choose(now);
    chosen = share;
  }

  // Whether a choice is due after this step, and by how much of the way.
  std::optional<double> due(std::int64_t step, std::int64_t steps) const {
    if (source != Source::schedule) return std::nullopt;
    const double begin = *when.window.start * static_cast<double>(steps);
    if (static_cast<double>(step) < begin) return std::nullopt;
    const auto first = static_cast<std::int64_t>(std::ceil(begin - 1e-9));
    if ((step - first) % when.frequency != 0 && !ends_window(when.window, step, steps)) return std::nullopt;
    const double share = window_share(when.window, when.schedule, step, steps);
    return share == chosen ? std::nullopt : std::optional(share);
  }
};

SparsifyCallback::SparsifyCallback(sparsity::SparsifyOptions what, SparsifySchedule when)
    : state_(std::make_unique<State>()) {
  sparsity::check_share("sparsity", what.sparsity);
  sparsity::check_keeps_zeros(what);
  sparsity::check_share("initial sparsity", when.initial);
  for (const auto& [name, share] : what.layers) sparsity::check_share("sparsity of " + name, share);
  if (when.frequency < 1)
    throw Error("frequency: expected a choice every 1 step or more, found " + std::to_string(when.frequency));
  when.window = completed(when.window, when.schedule);
  state_->what = std::move(what);
  state_->when = std::move(when);
}

SparsifyCallback::SparsifyCallback(FixedMasks fixed) : state_(std::make_unique<State>()) {
  state_->given = std::move(fixed.masks);
  state_->source = State::Source::given;
}

SparsifyCallback::SparsifyCallback(PresentZeros) : state_(std::make_unique<State>()) {
  state_->source = State::Source::present;
}

SparsifyCallback::~SparsifyCallback() = default;

double SparsifyCallback::sparsity(std::int64_t step, std::int64_t steps) const {
  const State& state = *state_;
  if (state.source != State::Source::schedule) return 0;
  if (static_cast<double>(step) < *state.when.window.start * static_cast<double>(steps)) return 0;
  return state.on_the_way(state.what.sparsity, window_share(state.when.window, state.when.schedule, step, steps));
}

void SparsifyCallback::before_fit(Trainer& trainer) {
  State& state = *state_;
  state.chosen = -1;
  state.loaded.reset();
  state.find(trainer);
  if (state.source == State::Source::present) state.weights->take_zeros();
  if (state.source != State::Source::given) return;
  state.weights->take(state.given, "masks");
  state.weights->apply();
}

// By now every callback has cut what it had cut before.
void SparsifyCallback::before_batch(Trainer&) {
  State& state = *state_;
  if (!state.loaded) return;
  state.weights->take(*state.loaded, "checkpoint");
  state.loaded.reset();
}

void SparsifyCallback::after_step(Trainer& trainer) {
  State& state = *state_;
  if (const auto share = state.due(trainer.step() - 1, trainer.steps())) state.choose(*share);
  state.weights->apply();
}

void SparsifyCallback::after_epoch(Trainer& trainer) {
  double zeros = 0, all = 0;
  for (const sparse::ModuleWeights::Weight& weight : state_->weights->weights()) {
    zeros += static_cast<double>(weight.tensor.eq(0).sum().item<std::int64_t>());
    all += static_cast<double>(weight.tensor.numel());
  }
  trainer.record().values.emplace_back("zeros", 100 * zeros / all);
}

void SparsifyCallback::after_cut(Trainer& trainer, const Pruner&) {
  State& state = *state_;
  if (state.source == State::Source::given)
    throw Error("sparsify callback: expected a model whose widths stay, for its masks are fixed");
  state.find(trainer);
  if (state.source == State::Source::present && !state.loaded) state.weights->take_zeros();
  if (state.chosen < 0 || state.loaded) return;
  state.choose(state.chosen);
  state.weights->apply();
}

bool SparsifyCallback::settled(const Trainer& trainer) const {
  return state_->source != State::Source::schedule ||
         static_cast<double>(trainer.step()) >= state_->when.window.end * static_cast<double>(trainer.steps());
}

void SparsifyCallback::save(torch::serialize::OutputArchive& archive) const {
  write_real(archive, "chosen", state_->chosen);
  write_named(archive, "masks", masks());
}

// Another callback may yet have to cut, so that the masks wait for the next batch.
void SparsifyCallback::load(torch::serialize::InputArchive& archive, Trainer& trainer) {
  State& state = *state_;
  state.chosen = read_real(archive, "chosen");
  state.loaded = read_named(archive, "masks");
  state.find(trainer);
}

NamedTensors SparsifyCallback::masks() const {
  if (state_->loaded) return *state_->loaded;
  return state_->weights ? state_->weights->masks() : NamedTensors();
}

}  // namespace coppice
