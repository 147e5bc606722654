#pragma once
#include <string>

#include "cli/torch_services.hpp"

namespace coppice::cli {

/// The commands' work that libtorch does; one file each.
class Services : public TorchServices {
 public:
  void run(const RunArguments& arguments) override;
  void verify(const VerifyArguments& arguments) override;
  void bench(const BenchArguments& arguments) override;
  void train(const TrainArguments& arguments) override;
  void evaluate(const EvaluateArguments& arguments) override;
  void sensitivity(const SensitivityArguments& arguments) override;
  void impact(const ImpactArguments& arguments) override;
  void run_recipe(const RecipeArguments& arguments) override;
  SparsifyOutcome sparsify(const SparsifyArguments& arguments, graph::Model& model) override;
  RunTime run_time(const pruning::Prepared& prepared, const std::string& device, int threads) override;
  MakeMeasure measure(const PruneArguments& arguments) override;
  std::string prove(const PruneArguments& arguments, const pruning::PruneResult& result) override;
};

}  // namespace coppice::cli
