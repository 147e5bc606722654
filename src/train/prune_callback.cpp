#include "coppice/train/prune_callback.hpp"

#include "coppice/base/error.hpp"
#include "coppice/train/trainer.hpp"

#include "train/archive_entries.hpp"
#include "train/window.hpp"

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

}  // namespace

PruneCallback::PruneCallback(PrunerOptions options, PruneWindow window)
    : options_(std::move(options)), window_(completed(std::move(window), options_.schedule)) {
  options_.iterative_steps = 1;
  options_.plan.reset();
}

PruneCallback::~PruneCallback() = default;

double PruneCallback::share(std::int64_t step, std::int64_t steps) const {
  return window_share(window_, options_.schedule, step, steps);
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
  write_real(archive, "share", share_);
}

void PruneCallback::load(torch::serialize::InputArchive& archive, Trainer& trainer) {
  pruner_->load(archive);
  share_ = read_real(archive, "share");
  trainer.announce_cut(*pruner_);
}

}  // namespace coppice
