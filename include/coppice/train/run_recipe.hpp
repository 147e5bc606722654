#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "coppice/base/progress.hpp"
#include "coppice/train/history.hpp"
#include "coppice/train/recipe.hpp"

namespace coppice::recipe {

/// What one stage came to.
struct StageResult {
  /// "train", "prune", "sparsify", "recover"; of rounds "round-1" and so on, of a lottery that rewinds "ticket" before
  /// them; "original" where nothing is trained at first.
  std::string stage;
  Evaluation held_out;             ///< All choices are made by this.
  std::optional<Evaluation> test;  ///< Where the recipe names test data; for the report only.
  std::int64_t parameters = 0;
  std::int64_t nonzero = 0;  ///< Of the parameters.
  double macs = 0;
  double seconds = 0;
  History history;  ///< Of its training, if there was any.
};

/// One way through the stages.
struct RunResult {
  std::string variant;  ///< "recipe", or one of the baselines "random", "scratch" and "short".
  std::uint64_t seed = 0;
  std::vector<StageResult> stages;
  std::string model;  ///< The file of the last stage.
};

struct Report {
  std::vector<RunResult> runs;         ///< By variant, then by seed.
  std::vector<std::string> skipped{};  ///< What was wrong with each record that was left out as damaged.

  /// The last stage's first metric, mean and spread over the seeds, for each variant and stage: a table of 80 columns.
  std::string text() const;
  std::string json() const;
};

struct RunOptions {
  std::string folder;   ///< Everything is written there: checkpoints, a model a stage, the report. Made if missing.
  bool resume = false;  ///< Stages that are done are taken from there, and a stopped one goes on.
  /// Another run's folder: its trained networks and their results are taken over, seed by seed where they are there, in
  /// place of training them once more. Its recipe must have the same seed, [data], [model], [train] and metrics.
  std::string base{};
  at::Device device = at::kCPU;
  std::int64_t checkpoint_steps = 200;
  base::Progress* progress = nullptr;
  /// Told of every epoch and every stage that ended: "recipe, seed 0, train".
  std::function<void(const std::string& stage, const EpochRecord&)> on_epoch;
  std::function<void(const std::string& stage, const StageResult&)> on_stage;
  std::function<bool()> stop;  ///< Asked after every step: true ends the run after a checkpoint.
};

/// Goes the whole way. Every stage begins with the model file of the one before, so that a run that was stopped and
/// resumed gives the same bytes. None when it was stopped. Throws Error for data or models that cannot be read, for a
/// folder in use by another recipe (with `resume`) or by anything (without), and for a base that began otherwise.
std::optional<Report> run(const Recipe& recipe, const RunOptions& options);

}  // namespace coppice::recipe
