#include "coppice/train/iterative_pruner.hpp"

#include <algorithm>
#include <cmath>

#include <torch/optim/optimizer.h>
#include <torch/serialize/archive.h>

#include "coppice/base/error.hpp"
#include "coppice/pruning/ratio.hpp"
#include "coppice/torch/snapshot.hpp"
#include "coppice/train/distillation.hpp"

#include "torch/messages.hpp"
#include "torch/save_archive.hpp"
#include "train/archive_entries.hpp"
#include "train/batches.hpp"
#include "train/device.hpp"

namespace coppice {
namespace {

constexpr std::int64_t version = 1;

// The epochs of one data set over several trainings: none sees another's order again.
struct LaterEpochs {
  BatchSource data;
  std::int64_t first = 0, count = 0;
  void for_each(std::int64_t epoch, std::int64_t batch, const std::function<bool(Batch)>& callback) const {
    data.for_each(callback, first + epoch, batch);
  }
  std::int64_t batches() const { return count; }
};

double target_of(const PrunerOptions& options) {
  double out = options.pruning_ratio.whole();
  for (const auto& [name, ratio] : options.pruning_ratio.layers()) out = std::max(out, ratio);
  for (const auto& [name, ratio] : options.layer_ratios) out = std::max(out, pruning::share_of(ratio));
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
    throw Error("checkpoint of the tuning: expected none, for rounds have their own, found " +
                options.tuning.checkpoint);
  const double target = target_of(options.pruning);
  if (!(target > 0 && target < 1))
    throw Error("pruning ratio: expected above 0 and below 1, found " + std::to_string(target));
}

PrunerOptions cutting(const Callable& model, const BatchSource& data, PrunerOptions options) {
  options.iterative_steps = 1;
  options.plan.reset();
  options.optimizer = nullptr;
  if (options.criterion.options().needs_data() && !options.calibration.data) options.calibration.data = data;
  if (options.example_inputs.empty())
    options.example_inputs = first_sample(data, device_of(model.module()), "training data");
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
  double gone = 0, rate;
  int taken_back = 0;
  bool stopped = false, ran = false;
  std::optional<Callable> original;  ///< As it came, where a callback wants it.

  State(Callable callable, BatchSource source, IterativeOptions given)
      : model(std::move(callable)),
        data(std::move(source)),
        options(std::move(given)),
        pruner(model, cutting(model, data, options.pruning)),
        target(target_of(options.pruning)),
        rate(1 - std::pow(1 - target, 1.0 / options.iterations)) {
    report.parameters_before = report.parameters = pruner.last_step().parameters;
    report.macs_before = report.macs = pruner.last_step().macs;
    const auto copy = [this] {
      if (!original) original = frozen_copy(model, first_sample(data, device_of(model.module()), "training data"));
      return *original;
    };
    for (const auto& callback : options.tuning.callbacks)
      if (callback) callback->before_rounds(copy);
  }

  std::optional<Evaluation> look() const {
    if (!options.tuning.validation) return std::nullopt;
    return evaluate(model, options.tuning.validation, options.tuning.loss, options.tuning.metrics);
  }

  History tune(int round) {
    const auto optimizer = make_optimizer(options.optimizer, model.module().parameters());
    TrainerOptions tuning = options.tuning;
    tuning.seed += static_cast<std::uint64_t>(round);
    Trainer trainer(model, *optimizer, LaterEpochs{data, round * tuning.epochs, batches}, std::move(tuning));
    History out = trainer.fit();
    stopped = trainer.stopped();
    return out;
  }

  bool at_end() const { return stopped || taken_back > options.backoffs || gone >= target; }
  void run();
  void save() const;
  void resume(const std::string& path);
};

void IterativePruner::State::run() {
  batches = count_batches(data);
  if (!report.base) report.base = look();
  ran = true;
  while (!at_end()) {
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
      record.history = tune(record.iteration - 1);
      record.after_tuning = look();
      record.accepted = !stopped && (!options.acceptable || options.acceptable(*report.base, *record.after_tuning));
      if (record.accepted) {
        gone = next;
      } else {
        back();
        rate *= options.backoff;
        ++taken_back;
      }
      report.iterations.push_back(record);
    } catch (...) {
      back();
      throw;
    }
    report.parameters = pruner.last_step().parameters;
    report.macs = pruner.last_step().macs;
    report.reached = gone >= target;
    if (!stopped && !options.checkpoint.empty()) save();
    if (options.on_iteration) options.on_iteration(report.iterations.back());
  }
  report.reached = gone >= target;
}

void IterativePruner::State::save() const {
  torch::serialize::OutputArchive archive;
  write_number(archive, "version", version);
  write_number(archive, "seed", static_cast<std::int64_t>(options.tuning.seed));
  write_real(archive, "target", target);
  write_real(archive, "gone", gone);
  write_real(archive, "rate", rate);
  write_number(archive, "taken_back", taken_back);
  write_text(archive, "report", report.json());
  torch::serialize::OutputArchive place;
  pruner.save(place);
  archive.write("pruner", place);
  write_model(archive, "model", model.module());
  if (original) write_model(archive, "original", original->module());
  save_archive(archive, options.checkpoint);
}

void IterativePruner::State::resume(const std::string& path) {
  const ModuleSnapshot snapshot(model);
  const Pruner::Place place = pruner.place();
  try {
    torch::serialize::InputArchive archive, cut;
    archive.load_from(path);
    const auto expect = [&](const char* what, auto expected, auto found) {
      if (expected != found)
        throw Error(std::string("of other options: expected ") + what + " " + std::to_string(expected) + ", found " +
                    std::to_string(found));
    };
    expect("version", version, read_number(archive, "version"));
    expect("a seed of", static_cast<std::int64_t>(options.tuning.seed), read_number(archive, "seed"));
    expect("a target of", target, read_real(archive, "target"));
    IterativeReport then = IterativeReport::parse(read_text(archive, "report"));
    archive.read("pruner", cut);
    pruner.load(cut);
    read_model(archive, "model", model.module());
    if (original) read_model(archive, "original", original->module());
    gone = read_real(archive, "gone");
    rate = read_real(archive, "rate");
    taken_back = static_cast<int>(read_number(archive, "taken_back"));
    report = std::move(then);
    ran = false;
  } catch (const std::exception& error) {
    snapshot.restore();
    pruner.go_back(place);
    throw Error(path + ": " + first_line(error.what()));
  }
}

IterativePruner::IterativePruner(Callable model, BatchSource data, IterativeOptions options) {
  check(options);
  if (!data) throw Error("training: expected data, found none");
  state_ = std::make_unique<State>(std::move(model), std::move(data), std::move(options));
}
IterativePruner::~IterativePruner() = default;

const IterativeReport& IterativePruner::run() {
  if (!state_->ran) state_->run();
  return state_->report;
}

void IterativePruner::resume(const std::string& path) {
  state_->resume(path);
}

const IterativeReport& IterativePruner::report() const {
  return state_->report;
}

const Pruner& IterativePruner::pruner() const {
  return state_->pruner;
}

}  // namespace coppice
