#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "coppice/importance/scores.hpp"
#include "coppice/pruning/prune.hpp"

#include "cli/model_options.hpp"
#include "cli/prune_arguments.hpp"
#include "cli/sparsify_report.hpp"
#include "cli/train_arguments.hpp"

namespace coppice::cli {

struct RunArguments {
  std::string model, output_dir, device;
  std::vector<std::string> inputs;  ///< NAME=x.npy
  ModelOptions common;
  std::uint64_t seed = 0;
  bool json = false;
};

struct VerifyArguments {
  std::string original, pruned, plan, device;
  int samples = 3;
  ModelOptions common;
  std::uint64_t seed = 0;
  bool json = false;
};

struct BenchArguments {
  std::string model, other, device;
  int batch = 0;  ///< 0: as the model has it, else 1.
  double seconds = 3;
  ModelOptions common;
  bool json = false;
};

struct ImpactArguments;

/// Seconds: the median, and what a tenth of the runs do not reach and a tenth exceed.
struct RunTime {
  double median = 0, low = 0, high = 0;
};

/// What commands need libtorch for. The program coppice has no such services and hands over to coppice-torch, so that
/// all else starts without the second that loading libtorch takes.
class TorchServices {
 public:
  virtual ~TorchServices() = default;
  virtual void run(const RunArguments& arguments) = 0;
  virtual void verify(const VerifyArguments& arguments) = 0;
  virtual void bench(const BenchArguments& arguments) = 0;
  virtual void train(const TrainArguments& arguments) = 0;
  virtual void evaluate(const EvaluateArguments& arguments) = 0;
  virtual void sensitivity(const SensitivityArguments& arguments) = 0;
  virtual void impact(const ImpactArguments& arguments) = 0;
  virtual void run_recipe(const RecipeArguments& arguments) = 0;
  /// Makes the model sparse by a criterion that looks at data; the bytes of the outcome are left alone.
  virtual SparsifyOutcome sparsify(const SparsifyArguments& arguments, graph::Model& model) = 0;

  /// How long one run takes on random inputs with the extents for which MACs are counted.
  virtual RunTime run_time(const pruning::Prepared& prepared, const std::string& device, int threads) = 0;

  /// Scores from data, as SelectOptions::measure wants them.
  using MakeMeasure =
      std::function<importance::Measure(const pruning::Prepared&, std::span<const std::uint8_t> removed)>;
  virtual MakeMeasure measure(const PruneArguments& arguments) = 0;
  /// The outcome of a proof: a line for people. Throws Error when the pruned model is not what it should be.
  virtual std::string prove(const PruneArguments& arguments, const pruning::PruneResult& result) = 0;
};

/// Thrown by a command that needs services where there are none.
struct HandOver {};

}  // namespace coppice::cli
