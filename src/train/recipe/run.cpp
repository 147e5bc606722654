#include <algorithm>
#include <filesystem>

#include "coppice/base/error.hpp"
#include "coppice/formats/onnx.hpp"
#include "coppice/pruning/refill.hpp"
#include "coppice/sparsity/sparsifier.hpp"
#include "coppice/train/iterative_pruner.hpp"
#include "coppice/train/recalibrate.hpp"
#include "coppice/train/run_recipe.hpp"
#include "coppice/zoo/zoo.hpp"

#include "torch/scoring/batches.hpp"
#include "train/recipe/choices.hpp"
#include "train/recipe/sparse_stages.hpp"
#include "train/recipe/stage.hpp"
#include "train/recipe/stage_file.hpp"

namespace coppice::recipe {
namespace {

namespace fs = std::filesystem;

constexpr const char* variants[] = {"recipe", "random", "scratch", "short"};

// Of all stages together, rounds that were taken back included.
std::int64_t all_epochs(const RunResult& run) {
  std::size_t out = 0;
  for (const StageResult& stage : run.stages) out += stage.history.epochs.size();
  return static_cast<std::int64_t>(out);
}

// Sees whether a training was stopped.
class Watch : public Callback {
 public:
  explicit Watch(bool& stopped) : stopped_(stopped) {}
  void after_batch(Trainer& trainer) override { stopped_ = stopped_ || trainer.stopped(); }

 private:
  bool& stopped_;
};

class Runner {
 public:
  Runner(const Recipe& recipe, const RunOptions& options) : recipe_(recipe), options_(options) {}

  std::optional<Report> run() {
    check_base();
    check_layers();
    check_folder();
    datasets_ = read_datasets(recipe_.data, recipe_.seed);
    write_text(options_.folder + "/fingerprint", recipe_.fingerprint);
    report_.skipped = datasets_.skipped;
    for (int i = 0; i < recipe_.seeds; ++i) {
      const std::uint64_t seed = recipe_.seed + static_cast<std::uint64_t>(i);
      if (!add(by_recipe(seed))) return std::nullopt;
      if (!recipe_.evaluate.baselines) continue;
      const RunResult ours = report_.runs.back();
      if (!add(by_chance(seed, ours))) return std::nullopt;
      if (const std::int64_t epochs = all_epochs(ours); epochs > 0 && !add(from_scratch("scratch", seed, ours, epochs)))
        return std::nullopt;
      if (recipe_.train.epochs > 0 && !add(from_scratch("short", seed, ours, recipe_.train.epochs)))
        return std::nullopt;
    }
    std::stable_sort(report_.runs.begin(), report_.runs.end(), [](const RunResult& a, const RunResult& b) {
      const auto rank = [](const RunResult& run) {
        return std::find(std::begin(variants), std::end(variants), run.variant) - std::begin(variants);
      };
      return rank(a) < rank(b);
    });
    finish();
    return report_;
  }

 private:
  // Only networks that this recipe would have trained too.
  void check_base() const {
    if (options_.base.empty()) return;
    const std::string path = options_.base + "/fingerprint";
    if (!fs::exists(path)) throw Error(options_.base + ": expected the folder of a run to begin with, found none");
    if (recipe_.train.epochs == 0) throw Error("base: expected a recipe that trains at first, found no [train]");
    if (parse(read_text(path), path).beginning != recipe_.beginning)
      throw Error(options_.base +
                  ": expected a run with the same seed, [data], [model], [train] and metrics, found others");
  }

  // Names of layers and the like can only be told from the network: before the work, not after hours of training.
  void check_layers() const {
    const graph::Model model = recipe_.model.file.empty() ? zoo::build(recipe_.model.zoo, recipe_.seed)
                                                          : formats::read_onnx(recipe_.model.file);
    if (recipe_.prune.method != Method::none)
      scoring::guarded("prune", [&] {
        GraphModule module(model);
        PrunerOptions options = recipe_.prune.pruner;
        options.criterion = large_final;
        const Pruner pruner(module, std::move(options));
      });
    if (recipe_.sparsify)
      scoring::guarded("sparsify", [&] { const sparsity::Sparsifier zeros(model, recipe_.sparsify->what); });
  }

  // A folder belongs to one recipe, and a new run must not write over an old one's results, or over other files.
  void check_folder() const {
    std::error_code failure;
    fs::create_directories(options_.folder, failure);
    if (failure) throw Error(options_.folder + ": expected a folder that can be made, found: " + failure.message());
    const std::string path = options_.folder + "/fingerprint";
    if (fs::exists(path)) {
      if (!options_.resume)
        throw Error(options_.folder + ": expected a new folder, found one with results; --resume goes on there");
      if (read_text(path) != recipe_.fingerprint)
        throw Error(options_.folder + ": expected the results of the same recipe, found another's");
    } else if (!fs::is_empty(options_.folder, failure)) {
      throw Error(options_.folder + ": expected a folder that is new, empty or of a run, found one with other files");
    }
  }

  bool add(std::optional<RunResult> result) {
    if (result) report_.runs.push_back(std::move(*result));
    return result.has_value();
  }

  // What the networks of a seed begin with.
  std::string original(const Way& way, std::uint64_t seed) const {
    if (!recipe_.model.file.empty()) return recipe_.model.file;
    const std::string path = way.folder() + "/original.onnx";
    if (!fs::exists(path)) formats::write_onnx(zoo::build(recipe_.model.zoo, seed), path);
    return path;
  }

  PrunerOptions pruner_options(const Way& way) const {
    PrunerOptions out = recipe_.prune.pruner;
    out.seed = way.seed();
    if (!out.criterion.options().needs_data()) return out;
    out.calibration = {.data = way.loaders().plain,
                       .loss = make_loss(main_training(recipe_).loss, 0),
                       .batches = recipe_.prune.calibration_batches,
                       .seed = way.seed()};
    return out;
  }

  // `all`: whatever the rounds lose.
  bool cut(Way& way, const PrunerOptions& options, bool all = false) const {
    const Pruning& pruning = recipe_.prune;
    return way.stage("prune", [&](GraphModule& module, History& history) {
      if (pruning.method == Method::iterative) return cut_by_rounds(way, options, all, module, history);
      if (pruning.method == Method::gradual) {
        PrunerOptions learning = options;
        learning.calibration = {};
        const auto callback = std::make_shared<PruneCallback>(learning, pruning.window);
        return way.train("prune", pruning.training, {callback}, module, history);
      }
      Pruner pruner(module, options);
      while (!pruner.done()) pruner.prune_model();
      if (pruning.recalibration_batches > 0)
        recalibrate_batch_norm(module, way.loaders().plain, pruning.recalibration_batches);
      return true;
    });
  }

  bool cut_by_rounds(const Way& way, const PrunerOptions& options, bool all, GraphModule& module,
                     History& history) const {
    const Pruning& pruning = recipe_.prune;
    const TrainerOptions tuning = way.trainer_options("prune", pruning.training);
    IterativeOptions rounds{.pruning = options,
                            .iterations = pruning.iterations,
                            .optimizer = pruning.training.optimizer,
                            .tuning = tuning,
                            .backoffs = pruning.backoffs,
                            .backoff = pruning.backoff,
                            .checkpoint = way.folder() + "/prune.pt"};
    bool stopped = false;
    rounds.tuning.callbacks.push_back(std::make_shared<Watch>(stopped));
    if (pruning.most_lost && !all) {
      const Metric metric = make_metric(recipe_.evaluate.metrics.front());
      const double sign = metric.higher_is_better ? 1 : -1;
      rounds.acceptable = [name = metric.name, sign, most = *pruning.most_lost](const Evaluation& base,
                                                                                const Evaluation& now) {
        return sign * (base.value(name) - now.value(name)) <= most;
      };
    }
    IterativePruner pruner(module, way.loaders().training, rounds);
    if (options_.resume && fs::exists(rounds.checkpoint)) pruner.resume(rounds.checkpoint);
    for (const IterativeRecord& round : pruner.run().iterations)
      history.epochs.insert(history.epochs.end(), round.history.epochs.begin(), round.history.epochs.end());
    module.eval();
    return !stopped;
  }

  bool recover(Way& way) const {
    if (recipe_.recover.epochs == 0) return true;
    return way.stage("recover", [&](GraphModule& module, History& history) {
      return way.train("recover", recipe_.recover, kept_zeros(recipe_, module), module, history);
    });
  }

  std::optional<RunResult> by_recipe(std::uint64_t seed) const {
    Way way(recipe_, options_, datasets_, "recipe", seed);
    std::string ticket = original(way, seed);
    way.begin_with(ticket);
    if (recipe_.train.epochs == 0) {
      if (!way.stage("original", [](GraphModule&, History&) { return true; })) return std::nullopt;
    } else {
      if (!options_.base.empty()) way.take_over("train", options_.base + "/recipe-" + std::to_string(seed));
      if (!way.stage("train", [&](GraphModule& module, History& history) {
            return way.train("train", recipe_.train, {}, module, history);
          }))
        return std::nullopt;
    }
    way.teach_by_this();
    if (recipe_.prune.method != Method::none && !cut(way, pruner_options(way))) return std::nullopt;
    if (!make_ticket(recipe_, way, ticket) || !make_sparse(recipe_, way, ticket, false)) return std::nullopt;
    if (!recover(way)) return std::nullopt;
    return way.result();
  }

  // The same way from the same trained network, to as few MACs, but channels are drawn.
  std::optional<RunResult> by_chance(std::uint64_t seed, const RunResult& ours) const {
    Way way(recipe_, options_, datasets_, "random", seed);
    const std::string folder = options_.folder + "/recipe-" + std::to_string(seed) + "/";
    way.begin_with(folder + ours.stages.front().stage + ".onnx");
    way.teach_by_this();
    PrunerOptions options = recipe_.prune.pruner;
    options.criterion = coppice::random;
    options.context = Context::global;  // unit by unit, which meets the target as closely as can be
    options.pruning_ratio = {};
    options.layer_ratios.clear();
    options.target_parameters.reset();
    options.target_macs = ours.stages.back().macs / ours.stages.front().macs;
    options.seed = seed;
    const bool smaller = *options.target_macs < 1;  // else each round was taken back, and there is nothing to match
    if (recipe_.prune.method != Method::none &&
        !(smaller ? cut(way, options, true) : way.stage("prune", [](GraphModule&, History&) { return true; })))
      return std::nullopt;
    const bool rewinds = recipe_.sparsify && recipe_.sparsify->rewind_epoch > 0;
    const std::string ticket = rewinds                      ? folder + "ticket.onnx"
                               : recipe_.model.file.empty() ? folder + "original.onnx"
                                                            : recipe_.model.file;
    if (!make_sparse(recipe_, way, ticket, true) || !recover(way)) return std::nullopt;
    return way.result();
  }

  // The small network without what the large one learnt.
  std::optional<RunResult> from_scratch(const char* variant, std::uint64_t seed, const RunResult& ours,
                                        std::int64_t epochs) const {
    Way way(recipe_, options_, datasets_, variant, seed);
    const std::string path = way.folder() + "/original.onnx";
    if (!fs::exists(path))
      formats::write_onnx(
          pruning::refill(pruning::prepare(formats::read_onnx(ours.model)), seed, pruning::Filling::fresh).model, path);
    way.begin_with(path);
    Training training = main_training(recipe_);
    training.epochs = epochs;
    training.distillation.reset();
    // Zeros, too, are architecture.
    GraphModule small(formats::read_onnx(ours.model));
    const auto kept = kept_zeros(recipe_, small);
    if (!way.stage("train", [&](GraphModule& module, History& history) {
          return way.train("train", training, kept, module, history);
        }))
      return std::nullopt;
    return way.result();
  }

  // The network of the seed that does best on the data set aside, and the report.
  void finish() const {
    const RunResult* best = nullptr;
    const double sign = make_metric(recipe_.evaluate.metrics.front()).higher_is_better ? 1 : -1;
    const auto value = [sign](const RunResult& run) {
      return sign * run.stages.back().held_out.metrics.front().second;
    };
    for (const RunResult& run : report_.runs)
      if (run.variant == "recipe" && (!best || value(run) > value(*best))) best = &run;
    formats::write_onnx(formats::read_onnx(best->model), options_.folder + "/" + recipe_.output.onnx);
    write_text(options_.folder + "/report.json", report_.json());
    write_text(options_.folder + "/report.txt", report_.text());
  }

  const Recipe& recipe_;
  const RunOptions& options_;
  Datasets datasets_;
  Report report_;
};

}  // namespace

std::optional<Report> run(const Recipe& recipe, const RunOptions& options) {
  if (options.folder.empty()) throw Error("recipe: expected a folder to write to, found none");
  if (recipe.evaluate.baselines && recipe.prune.method == Method::none && !recipe.sparsify)
    throw Error("recipe: baselines expect something to be pruned or made sparse");
  return Runner(recipe, options).run();
}

}  // namespace coppice::recipe
