#pragma once
#include <functional>
#include <optional>
#include <string>

#include "coppice/torch/graph_module.hpp"
#include "coppice/train/run_recipe.hpp"
#include "coppice/train/trainer.hpp"

#include "train/recipe/loaders.hpp"

namespace coppice::recipe {

/// One way through the stages: where its files are, and how each stage is done.
class Way {
 public:
  Way(const Recipe& recipe, const RunOptions& options, const Datasets& datasets, std::string variant,
      std::uint64_t seed);

  /// What a stage does to the model; gives the history of its training. False: it was stopped, after a checkpoint.
  using Work = std::function<bool(GraphModule& module, History& history)>;
  /// Runs a stage on the model of the file that the stage before left, or takes its result from the folder. False: it
  /// was stopped.
  bool stage(const std::string& name, const Work& work);
  /// Takes the files of a stage over from another run's folder, if it is done there.
  void take_over(const std::string& name, const std::string& folder) const;
  /// What a training on this way is given; callbacks for stopping, distillation and the best epoch are added.
  TrainerOptions trainer_options(const std::string& name, const Training& training) const;
  /// Work for stage(): trains by the recipe's options, with callbacks, from a checkpoint where there is one.
  bool train(const std::string& name, const Training& training, const std::vector<std::shared_ptr<Callback>>& callbacks,
             GraphModule& module, History& history) const;

  /// The same with options that are complete but for the checkpoint.
  bool fit(const std::string& name, const OptimizerOptions& optimizer, TrainerOptions options, GraphModule& module,
           History& history) const;

  /// The model of now is what pruning begins with, and the teacher of what comes.
  void teach_by_this() { teacher_ = model_; }
  /// The model that the next stage begins with.
  const std::string& model() const { return model_; }
  void begin_with(const std::string& model) { model_ = model; }
  std::uint64_t seed() const { return result_.seed; }
  const std::string& folder() const { return folder_; }
  std::string title(const std::string& stage) const;
  const Loaders& loaders() const { return loaders_; }
  RunResult& result() { return result_; }

 private:
  StageResult measured(const std::string& name, GraphModule& module) const;

  const Recipe& recipe_;
  const RunOptions& options_;
  std::string folder_, model_, teacher_;
  Loaders loaders_;
  RunResult result_;
};

}  // namespace coppice::recipe
