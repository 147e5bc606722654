#include "coppice/torch/pruner.hpp"

#include <utility>

#include "coppice/base/error.hpp"

#include "torch/inplace/job.hpp"

namespace coppice {

struct Pruner::State : inplace::Job {
  using Job::Job;
};

Pruner::Pruner(Callable model, PrunerOptions options)
    : state_(std::make_unique<State>(std::move(model), std::move(options))) {
  state_->begin();
}
Pruner::~Pruner() = default;
Pruner::Pruner(Pruner&&) noexcept = default;
Pruner& Pruner::operator=(Pruner&&) noexcept = default;

const PruneStep& Pruner::prune_model() {
  state_->step();
  return state_->last;
}

const PruneStep& Pruner::last_step() const {
  return state_->last;
}

const PruneStep* Pruner::prune_to(double share) {
  return state_->step_to(share) ? &state_->last : nullptr;
}

void Pruner::save(torch::serialize::OutputArchive& archive) const {
  state_->save(archive);
}

void Pruner::load(torch::serialize::InputArchive& archive) {
  state_->load(archive);
}

struct Pruner::Place::Data {
  const State* pruner;
  inplace::Place place;
};

Pruner::Place Pruner::place() const {
  Place out;
  out.data_ = std::make_shared<const Place::Data>(Place::Data{state_.get(), state_->place()});
  return out;
}

void Pruner::go_back(const Place& place) {
  if (!place.data_ || place.data_->pruner != state_.get())
    throw Error("place: expected one of this Pruner, found " + std::string(place.data_ ? "another's" : "none"));
  state_->go_back(place.data_->place);
}

bool Pruner::done() const {
  return state_->options.plan ? state_->replayed : state_->steps->done();
}

const std::vector<std::string>& Pruner::output_layers() const {
  return state_->output_layers;
}

Plan Pruner::plan() const {
  return make_plan(state_->prepared, state_->removed, {});
}

const pruning::Prepared& Pruner::prepared() const {
  return state_->prepared;
}

std::string describe_ignored(const Pruner& pruner) {
  std::string out;
  for (const std::string& name : pruner.output_layers()) out += "Ignoring output layer: " + name + "\n";
  return out + "Total ignored layers: " + std::to_string(pruner.output_layers().size()) + "\n";
}

}  // namespace coppice
