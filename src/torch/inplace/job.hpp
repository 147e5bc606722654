#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "coppice/torch/pruner.hpp"

#include "torch/inplace/target.hpp"
#include "torch/inplace/tensor_cuts.hpp"

namespace coppice::inplace {

/// What cuts change of a Job.
struct Place {
  std::vector<std::uint8_t> removed;
  std::optional<pruning::StepwiseSelection::Position> position;
  NamedTensors initial;
  PruneStep last;
  bool replayed = false;
};

/// The work of a Pruner.
struct Job {
  Callable model;
  PrunerOptions options;
  std::unique_ptr<Target> target;
  pruning::Prepared prepared;
  std::optional<pruning::StepwiseSelection> steps;
  std::vector<std::uint8_t> removed;  ///< By unit: what has been cut so far.
  std::vector<std::string> output_layers;
  pruning::Count before;
  NamedTensors initial;  ///< In the widths of the beginning.
  PruneStep last;
  bool replayed = false;
  std::size_t told = 0;  ///< Warnings of `steps` that an earlier step reported.

  Job(Callable callable, PrunerOptions given) : model(std::move(callable)), options(std::move(given)) {}

  void begin();
  void refresh();
  NamedTensors parameters();
  NamedTensors in_full(const NamedTensors& tensors) const;
  NamedTensors in_current_widths(const NamedTensors& tensors) const;
  importance::Measure measure(std::span<const std::uint8_t> gone);
  at::Tensor expanded(const at::Tensor& tensor, std::span<const coupling::Axis> axes) const;
  bool select(std::optional<double> share);
  std::vector<std::uint8_t> choose(std::optional<double> share, graph::Model& cut, std::vector<std::string>& warnings);
  Exchange exchange(std::span<const std::uint8_t> goes);
  void try_forward(const graph::Model& cut);
  void make_cut(std::span<const std::uint8_t> goes, const graph::Model& cut);
  void finish(std::vector<std::uint8_t> goes, PruneStep result);
  bool step(std::optional<double> share);
  void step();
  bool step_to(double share);
  Place place() const;
  void go_back(const Place& place);
  void save(torch::serialize::OutputArchive& archive) const;
  void load(torch::serialize::InputArchive& archive);
};

}  // namespace coppice::inplace
