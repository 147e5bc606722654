#include "coppice/train/iterative_pruner.hpp"

#include <algorithm>
#include <cmath>

#include <torch/optim/optimizer.h>

#include "coppice/base/error.hpp"
#include "coppice/torch/snapshot.hpp"

#include "torch/scoring/batches.hpp"
#include "train/device.hpp"

namespace coppice {
namespace {

// The epochs of one data set over several trainings: none sees another's order again.
struct LaterEpochs {
  BatchSource data;
  std::int64_t first = 0, count = 0;
  void for_each(std::int64_t epoch, std::int64_t batch, const std::function<bool(Batch)>& callback) const {
    data.for_each(callback, first + epoch, batch);
  }
  std::int64_t batches() const { return count; }
};

std::int64_t count(const BatchSource& data) {
  if (const auto known = data.batches()) return *known;
  std::int64_t out = 0;
  data.for_each([&](const Batch&) { return ++out > 0; });
  return out;
}

double target_of(const PrunerOptions& options) {
  double out = options.pruning_ratio.whole();
  for (const auto& [name, ratio] : options.pruning_ratio.layers()) out = std::max(out, ratio);
  for (const auto& [name, ratio] : options.layer_ratios) out = std::max(out, ratio > 1 ? ratio / 100 : ratio);
  if (options.target_macs) out = std::max(out, 1 - *options.target_macs);
  if (options.target_parameters) out = std::max(out, 1 - *options.target_parameters);
  return out;
}

void check(const IterativeOptions& options) {
  if (options.iterations < 1)
    throw Error("iterations: expected 1 or more, found " + std::to_string(options.iterations));
  if (options.backoffs < 0) throw Error("backoffs: expected 0 or more, found " + std::to_string(options.backoffs));
  if (!(options.backoff > 0 && options.backoff < 1))
    throw Error("backoff: expected a factor above 0 and below 1, found " + std::to_string(options.backoff));
  if (options.acceptable && !options.tuning.validation)
    throw Error("acceptable: expected validation data to decide on, found none");
  if (!options.tuning.checkpoint.empty())
    throw Error("checkpoint: expected none, for a round cannot be resumed, found " + options.tuning.checkpoint);
  const double target = target_of(options.pruning);
  if (!(target > 0 && target < 1))
    throw Error("pruning ratio: expected above 0 and below 1, found " + std::to_string(target));
}

PrunerOptions cutting(const Callable& model, const BatchSource& data, PrunerOptions options) {
  options.iterative_steps = 1;
  options.plan.reset();
  options.optimizer = nullptr;
  if (options.criterion.options().needs_data() && !options.calibration.data) options.calibration.data = data;
  if (!options.example_inputs.empty()) return options;
  data.for_each([&](Batch batch) {
    scoring::samples_of(batch, false, "training data");
    scoring::move_to(batch, device_of(model.module()));
    for (const at::Tensor& input : batch.inputs) options.example_inputs.push_back(input.narrow(0, 0, 1).clone());
    return false;
  });
  return options;
}

}  // namespace

struct IterativePruner::State {
  Callable model;
  BatchSource data;
  IterativeOptions options;
  Pruner pruner;
  double target;
  std::int64_t batches = 0;
  IterativeReport report;

  State(Callable callable, BatchSource source, IterativeOptions given)
      : model(std::move(callable)),
        data(std::move(source)),
        options(std::move(given)),
        pruner(model, cutting(model, data, options.pruning)),
        target(target_of(options.pruning)) {
    report.parameters_before = report.parameters = pruner.last_step().parameters;
    report.macs_before = report.macs = pruner.last_step().macs;
  }

  std::optional<Evaluation> look() const {
    if (!options.tuning.validation) return std::nullopt;
    return evaluate(model, options.tuning.validation, options.tuning.loss, options.tuning.metrics);
  }

  // Whether the training came to its end.
  bool tune(int round) {
    const auto optimizer = make_optimizer(options.optimizer, model.module().parameters());
    TrainerOptions tuning = options.tuning;
    tuning.seed += static_cast<std::uint64_t>(round);
    Trainer trainer(model, *optimizer, LaterEpochs{data, round * tuning.epochs, batches}, std::move(tuning));
    trainer.fit();
    return !trainer.stopped();
  }

  void run();
};

void IterativePruner::State::run() {
  batches = count(data);
  if (!report.base) report.base = look();
  double gone = 0, rate = 1 - std::pow(1 - target, 1.0 / options.iterations);
  int taken_back = 0;
  bool going = true;
  while (going && gone < target) {
    double next = 1 - (1 - gone) * (1 - rate);
    if (next > target - 1e-9) next = target;
    const ModuleSnapshot snapshot(model);
    const Pruner::Place place = pruner.place();
    const auto back = [&] {
      snapshot.restore();
      pruner.go_back(place);
    };
    try {
      const PruneStep* const step = pruner.prune_to(next / target);
      if (!step) {
        gone = next;
        continue;
      }
      const double ratio = step->ratio > 0 ? step->ratio : target;
      IterativeRecord record{.iteration = static_cast<int>(report.iterations.size()) + 1,
                             .rate = 1 - (1 - next) / (1 - gone),
                             .sparsity = ratio * next / target,
                             .parameters = step->parameters,
                             .macs = step->macs};
      record.after_cut = look();
      going = tune(record.iteration - 1);
      record.after_tuning = look();
      record.accepted = going && (!options.acceptable || options.acceptable(*report.base, *record.after_tuning));
      if (record.accepted) {
        gone = next;
      } else {
        back();
        rate *= options.backoff;
        going = going && ++taken_back <= options.backoffs;
      }
      report.iterations.push_back(record);
    } catch (...) {
      back();
      throw;
    }
    report.parameters = pruner.last_step().parameters;
    report.macs = pruner.last_step().macs;
    if (options.on_iteration) options.on_iteration(report.iterations.back());
  }
  report.reached = gone >= target;
}

IterativePruner::IterativePruner(Callable model, BatchSource data, IterativeOptions options) {
  check(options);
  if (!data) throw Error("training: expected data, found none");
  state_ = std::make_unique<State>(std::move(model), std::move(data), std::move(options));
}
IterativePruner::~IterativePruner() = default;

const IterativeReport& IterativePruner::run() {
  if (state_->report.iterations.empty()) state_->run();
  return state_->report;
}

const IterativeReport& IterativePruner::report() const {
  return state_->report;
}

const Pruner& IterativePruner::pruner() const {
  return state_->pruner;
}

}  // namespace coppice
