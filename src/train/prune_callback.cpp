#include "coppice/train/prune_callback.hpp"

#include "coppice/base/error.hpp"
#include "coppice/train/trainer.hpp"

namespace coppice {
namespace {

// The batch that the training is at.
struct CurrentBatch {
  Trainer* trainer;
  void for_each(std::int64_t, std::int64_t, const std::function<bool(Batch)>& callback) const {
    callback(trainer->batch());
  }
  std::int64_t batches() const { return 1; }
};

double usual_start(Schedule schedule) {
  switch (schedule) {
    case Schedule::one_shot:
      return 0.5;
    case Schedule::iterative:
    case Schedule::agp:
      return 0.2;
    default:
      return 0;
  }
}

}  // namespace

PruneCallback::PruneCallback(PrunerOptions options, PruneWindow window)
    : options_(std::move(options)), window_(std::move(window)) {
  if (!window_.start) window_.start = window_.schedule ? 0 : usual_start(options_.schedule);
  if (!(*window_.start >= 0 && *window_.start < window_.end && window_.end <= 1))
    throw Error("pruning window: expected 0 <= start < end <= 1, found " + std::to_string(*window_.start) + " to " +
                std::to_string(window_.end));
  options_.iterative_steps = 1;
  options_.plan.reset();
}

PruneCallback::~PruneCallback() = default;

double PruneCallback::share(std::int64_t step, std::int64_t steps) const {
  const auto at = static_cast<double>(step) / static_cast<double>(steps);
  if (at < *window_.start) return 0;
  const bool last = static_cast<double>(step + 1) >= window_.end * static_cast<double>(steps);
  const double position = last ? 1 : (at - *window_.start) / (window_.end - *window_.start);
  const double out = window_.schedule ? window_.schedule(position) : pruning::progress(options_.schedule, position);
  if (!(out >= 0 && out <= 1))
    throw Error("schedule: expected a share from 0 to 1 at " + std::to_string(position) + ", found " +
                std::to_string(out));
  return out;
}

void PruneCallback::before_fit(Trainer& trainer) {
  PrunerOptions options = options_;
  options.optimizer = &trainer.optimizer();
  if (options.example_inputs.empty()) options.example_inputs = trainer.example_inputs();
  if (options.criterion.options().needs_data() && !options.calibration.data)
    options.calibration.data = CurrentBatch{&trainer};
  if (!options.calibration.loss) options.calibration.loss = trainer.options().loss;
  pruner_ = std::make_unique<Pruner>(trainer.model(), std::move(options));
}

void PruneCallback::before_step(Trainer& trainer) {
  share_ = share(trainer.step(), trainer.steps());
  if (pruner_->prune_to(share_)) trainer.announce_cut(*pruner_);
}

void PruneCallback::after_epoch(Trainer& trainer) {
  const double ratio = options_.pruning_ratio.whole();
  auto& values = trainer.record().values;
  values.emplace_back("sparsity", 100 * share_ * (ratio > 0 ? ratio : 1));
  values.emplace_back("parameters", static_cast<double>(pruner_->last_step().parameters));
  values.emplace_back("macs", pruner_->last_step().macs);
}

void PruneCallback::save(torch::serialize::OutputArchive& archive) const {
  pruner_->save(archive);
}

void PruneCallback::load(torch::serialize::InputArchive& archive, Trainer& trainer) {
  pruner_->load(archive);
  trainer.announce_cut(*pruner_);
}

}  // namespace coppice
