#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coppice/pruning/plan.hpp"
#include "coppice/pruning/prune.hpp"
#include "coppice/torch/calibration.hpp"
#include "coppice/torch/callable.hpp"
#include "coppice/torch/criterion.hpp"
#include "coppice/torch/evidence.hpp"
#include "coppice/torch/libtorch.hpp"

namespace torch::optim {
class Optimizer;
}

namespace coppice {

using importance::Normalizer;
using importance::Reduction;
using pruning::Context;
using pruning::Plan;
using pruning::Schedule;

/// How much to remove: 30, 0.3 and "30%" are the same, as a number above 1 is percent; or one for each layer by its
/// module's name, and then nothing elsewhere. A name stands for all layers below it.
class PruningRatio {
 public:
  PruningRatio() = default;
  PruningRatio(double ratio);       // NOLINT(google-explicit-constructor)
  PruningRatio(const char* ratio);  // NOLINT(google-explicit-constructor)
  PruningRatio(std::map<std::string, double> layers);
  PruningRatio(std::initializer_list<std::pair<const std::string, double>> layers)
      : PruningRatio(std::map<std::string, double>(layers)) {}

  double whole() const { return whole_; }
  const std::map<std::string, double>& layers() const { return layers_; }

 private:
  double whole_ = 0;
  std::map<std::string, double> layers_;
};

struct PrunerOptions {
  PruningRatio pruning_ratio{};
  Context context = Context::local;
  Criterion criterion = large_final;
  Calibration calibration{};  ///< For criteria that look at data.
  /// The weights that criteria such as `movement` compare with, by parameter; empty: those at construction.
  NamedTensors initial{};
  /// One forward pass of these shows the network's structure, on a copy of nothing: the module is left as it is.
  /// Without any, 1 x channels x 224 x 224 for a module that begins with a Conv2d, 1 x features for one that begins
  /// with a Linear.
  std::vector<at::Tensor> example_inputs{};
  /// Ratios that differ from `pruning_ratio`, by module name.
  std::map<std::string, double> layer_ratios{};
  std::vector<std::string> ignored_layers{};  ///< Modules (globs) whose outputs stay whole.
  int iterative_steps = 1;
  Schedule schedule = Schedule::linear;
  std::int64_t round_to = 1, min_units = 1;
  std::optional<double> target_macs{}, target_parameters{};  ///< Share to keep, in (0, 1), in place of the ratio.
  Reduction reduction = Reduction::mean;
  std::optional<Normalizer> normalizer{};
  coupling::Options coupling{};
  std::uint64_t seed = 0;
  bool exact_only = false;
  std::optional<Plan> plan{};                    ///< Replay this decision in a single step.
  torch::optim::Optimizer* optimizer = nullptr;  ///< Its state is cut along; must outlive the Pruner.
};

/// What one step did.
struct PruneStep {
  int step = 0, steps = 0;
  std::int64_t parameters_before = 0, parameters = 0;  ///< Before is what the Pruner found at first.
  double macs_before = 0, macs = 0;
  double ratio = 0;
  std::vector<std::string> inexact;   ///< Why the cut is not exact; empty: it is.
  std::vector<std::string> warnings;  ///< One line each.
};

/// Structured pruning of a libtorch module in place: parameters, buffers and gradients shrink, the options of
/// `torch::nn` layers tell the new widths, and the optimizer's state goes along, so that training goes on.
///
/// On an Error everything is as it was: the module, its options, and the optimizer.
class Pruner {
 public:
  /// Traces the module once. Throws Error when the forward pass fails on the example inputs, for parameters on several
  /// devices, for a criterion whose data are missing, and as pruning::StepwiseSelection does.
  explicit Pruner(Callable model, PrunerOptions options = {});
  ~Pruner();
  Pruner(Pruner&&) noexcept;
  Pruner& operator=(Pruner&&) noexcept;

  /// Cuts the next step of the schedule, then runs the forward pass once to see that the module's code goes along.
  /// Throws Error when all steps are done, when nothing is to be removed, and when the code counts on a width that the
  /// cut changes; then it says where.
  const PruneStep& prune_model();
  bool done() const;
  /// What the last step did; before any, how the Pruner found the module.
  const PruneStep& last_step() const;

  /// For schedules of the caller's own: cuts until `share` (0..1) of the way to the ratios is gone, whatever
  /// `iterative_steps` and `schedule` say. Null, at the cost of a few comparisons, where that takes no unit more than
  /// what went before. Throws Error as prune_model() does.
  const PruneStep* prune_to(double share);
  /// What a Pruner of the same options for a fresh module needs to go on from here: the cut so far, the place in the
  /// schedule, and the weights that the criterion compares with.
  void save(torch::serialize::OutputArchive& archive) const;
  /// Cuts the module as that one was; its weights are then the caller's to load. Throws Error when the archive is of
  /// another module or other options.
  void load(torch::serialize::InputArchive& archive);

  /// Where this Pruner stands, in memory.
  class Place {
    friend class Pruner;
    struct Data;
    std::shared_ptr<const Data> data_;
  };
  Place place() const;
  /// Stands again where it stood, for a module that a ModuleSnapshot of the same moment has put back. Throws Error, and
  /// changes nothing, for a place of another Pruner.
  void go_back(const Place& place);

  /// Layers that stay because they feed the model's output, by module name.
  const std::vector<std::string>& output_layers() const;
  /// The decisions so far as one plan for the module as the Pruner found it.
  Plan plan() const;
  const pruning::Prepared& prepared() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// "Ignoring output layer: fc" for each, and their number, as a text for people.
std::string describe_ignored(const Pruner& pruner);

}  // namespace coppice
