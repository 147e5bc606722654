#include "coppice/train/sparsify_callback.hpp"

#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include <torch/serialize/archive.h>

#include "coppice/base/error.hpp"
#include "coppice/torch/tensors.hpp"
#include "coppice/train/trainer.hpp"

#include "sparsity/selection.hpp"
#include "torch/inplace/target.hpp"
#include "torch/messages.hpp"
#include "train/archive_entries.hpp"
#include "train/window.hpp"

namespace coppice {
namespace {

/// Where a mask is zero.
at::Tensor gone(const tensor::Mask& mask, const at::Tensor& like) {
  at::Tensor out = at::empty(like.sizes(), at::kBool);
  bool* const to = out.data_ptr<bool>();
  for (std::int64_t i = 0; i < mask.elements; ++i) to[i] = !mask.stays(i);
  return out.to(like.device());
}

}  // namespace

struct SparsifyCallback::State {
  sparsity::SparsifyOptions what;
  SparsifySchedule when;
  bool fixed = false;
  double chosen = -1;  ///< The share of the way at the last choice; -1: none yet.

  /// A weight of the model, and where it is zero; undefined before the first choice.
  struct Weight {
    std::string name;
    at::Tensor tensor, gone;
  };
  std::vector<Weight> weights;
  graph::Model graph;
  std::unique_ptr<inplace::Target> target;

  void find(Trainer& trainer) {
    target = inplace::make_target(trainer.model(), trainer.example_inputs());
    graph = target->graph();
    std::map<std::string, at::Tensor> tensors = target->tensors();
    std::vector<Weight> found;
    sparsity::SparsifyOptions own = what;
    const std::vector<sparsity::Site> sites = sparsity::find_sites(graph.graph);
    sparsity::check_names(sites, what);
    std::vector<sparsity::LeftDense> left;
    for (const sparsity::Site& site : sites) {
      auto reason = sparsity::exclusion(site, what);
      const auto tensor = tensors.find(site.name);
      if (!reason && tensor == tensors.end()) reason = "not a tensor of the module";
      if (reason)
        left.push_back({site, *reason});
      else
        found.push_back({site.name, tensor->second, {}});
    }
    if (found.empty()) sparsity::nothing_left(left);
    weights = std::move(found);
  }

  // Another callback may have put other data into the tensors.
  void refresh() {
    for (const Weight& weight : weights)
      graph.graph.set_constant(graph.graph.find(weight.name), to_coppice(weight.tensor.detach()));
  }

  void choose(double share) {
    refresh();
    sparsity::SparsifyOptions now = what;
    now.sparsity = when.initial + (what.sparsity - when.initial) * share;
    for (auto& [name, layer] : now.layers) layer = when.initial + (layer - when.initial) * share;
    const sparsity::Sparsifier sparsifier(graph, now);
    std::map<std::string, const tensor::Mask*> masks;
    for (const sparsity::LayerMask& mask : sparsifier.masks()) masks.emplace(mask.site.name, &mask.mask);
    for (Weight& weight : weights)
      if (const auto mask = masks.find(weight.name); mask != masks.end())
        weight.gone = gone(*mask->second, weight.tensor);
    chosen = share;
  }

  void apply() {
    const at::NoGradGuard no_gradients;
    for (Weight& weight : weights)
      if (weight.gone.defined()) weight.tensor.masked_fill_(weight.gone, 0);
  }

  // Masks by name onto the weights of now.
  void take(const NamedTensors& masks, const char* what_for) {
    std::map<std::string, at::Tensor> by_name(masks.begin(), masks.end());
    for (Weight& weight : weights) {
      const auto mask = by_name.find(weight.name);
      if (mask == by_name.end()) continue;
      if (mask->second.sizes() != weight.tensor.sizes() || mask->second.scalar_type() != at::kBool)
        throw Error(std::string(what_for) + ": \"" + weight.name + "\": expected bool " +
                    shape_text(weight.tensor.sizes()) + ", found " + c10::toString(mask->second.scalar_type()) + " " +
                    shape_text(mask->second.sizes()));
      weight.gone = mask->second.logical_not().to(weight.tensor.device());
      by_name.erase(mask);
    }
    if (!by_name.empty())
      throw Error(std::string(what_for) + ": expected masks of the model's weights, found one for \"" +
                  by_name.begin()->first + "\"");
  }

  NamedTensors masks() const {
    NamedTensors out;
    for (const Weight& weight : weights)
      if (weight.gone.defined()) out.emplace_back(weight.name, weight.gone.logical_not());
    return out;
  }

  NamedTensors given;                  ///< The masks of the second constructor.
  std::optional<NamedTensors> loaded;  ///< Those of a checkpoint, until the next batch.
};

SparsifyCallback::SparsifyCallback(sparsity::SparsifyOptions what, SparsifySchedule when)
    : state_(std::make_unique<State>()) {
  sparsity::check_share("sparsity", what.sparsity);
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
  state_->fixed = true;
}

SparsifyCallback::~SparsifyCallback() = default;

double SparsifyCallback::sparsity(std::int64_t step, std::int64_t steps) const {
  const State& state = *state_;
  if (state.fixed) return 0;
  if (static_cast<double>(step) < *state.when.window.start * static_cast<double>(steps)) return 0;
  return state.when.initial +
         (state.what.sparsity - state.when.initial) * window_share(state.when.window, state.when.schedule, step, steps);
}

void SparsifyCallback::before_fit(Trainer& trainer) {
  State& state = *state_;
  state.chosen = -1;
  state.loaded.reset();
  state.find(trainer);
  if (!state.fixed) return;
  state.take(state.given, "masks");
  state.apply();
}

// By now every callback has cut what it had cut before.
void SparsifyCallback::before_batch(Trainer&) {
  State& state = *state_;
  if (!state.loaded) return;
  state.take(*state.loaded, "checkpoint");
  state.loaded.reset();
}

void SparsifyCallback::after_step(Trainer& trainer) {
  State& state = *state_;
  const std::int64_t step = trainer.step() - 1, steps = trainer.steps();
  const PruneWindow& window = state.when.window;
  const double begin = state.fixed ? 0 : *window.start * static_cast<double>(steps);
  if (!state.fixed && static_cast<double>(step) >= begin) {
    const double share = window_share(window, state.when.schedule, step, steps);
    const auto first = static_cast<std::int64_t>(std::ceil(begin - 1e-9));
    const bool due = (step - first) % state.when.frequency == 0 || ends_window(window, step, steps);
    if (due && share != state.chosen) state.choose(share);
  }
  state.apply();
}

void SparsifyCallback::after_epoch(Trainer& trainer) {
  double zeros = 0, all = 0;
  for (const State::Weight& weight : state_->weights) {
    zeros += static_cast<double>(weight.tensor.eq(0).sum().item<std::int64_t>());
    all += static_cast<double>(weight.tensor.numel());
  }
  trainer.record().values.emplace_back("zeros", 100 * zeros / all);
}

void SparsifyCallback::after_cut(Trainer& trainer, const Pruner&) {
  State& state = *state_;
  if (state.fixed) throw Error("sparsify callback: expected a model whose widths stay, for its masks are fixed");
  state.find(trainer);
  if (state.chosen < 0 || state.loaded) return;
  state.choose(state.chosen);
  state.apply();
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
  return state_->loaded ? *state_->loaded : state_->masks();
}

}  // namespace coppice
