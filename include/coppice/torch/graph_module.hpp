#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "coppice/graph/model.hpp"
#include "coppice/torch/libtorch.hpp"

namespace coppice {

/// A `torch::nn::Module` that computes what a model's graph says, with autograd.
///
/// Trainable constants (graph::is_parameter) of real types are parameters, other real constants are buffers, both
/// named as in the graph: the dots of "layer1.0.conv1.weight" make submodules, as in PyTorch. Where a part between dots
/// is empty, the dots become underscores. Whole numbers are no buffers, but they move along in to(). Constants that an
/// exporter shared because they were equal get a tensor each (graph::untie).
/// Batch norm and dropout follow train() and eval(): in training mode BatchNormalization takes the batch's statistics
/// and updates its running ones, whatever `training_mode` the node has. A new module is in evaluation mode.
class GraphModule : public torch::nn::Module {
 public:
  /// The weights are copied. Throws Error naming the first node whose operator does not run here.
  explicit GraphModule(graph::Model model);
  ~GraphModule() override;

  /// One per input that has no initializer, in the graph's order; outputs likewise. Throws Error when number, element
  /// type, rank or a fixed extent differ from what the model declares, and naming the node that failed.
  std::vector<at::Tensor> run(std::vector<at::Tensor> inputs);
  /// run() for one input; the model's first output.
  at::Tensor forward(at::Tensor input);

  /// Inputs without an initializer, and outputs, in the order of the graph.
  const std::vector<std::string>& input_names() const;
  const std::vector<std::string>& output_names() const;
  /// Parameters and buffers under the names that the graph gives them.
  std::map<std::string, at::Tensor> constants() const;

  /// Calls back with a value of the outermost graph (an input or a node's output), by name, whenever it has been
  /// computed. The callback may keep it, call register_hook on it, or put another tensor in its place. Returns an id
  /// for forget(). Throws Error when there is no such value.
  using Observer = std::function<void(at::Tensor& value)>;
  int observe(std::string_view value, Observer observer);
  void forget(int id);

  /// While a share is set, every BatchNormalization with running statistics takes the batch's in evaluation mode too,
  /// and mixes this share of them into its running ones, whatever its momentum. Nothing: as the modes say.
  void renew_statistics(std::optional<double> share);

  /// The model with the weights as they are now, in the types that it had at first; copies.
  graph::Model model() const;
  /// The same, but sharing the memory of weights on the CPU.
  graph::Model view() const;

  /// Runs another graph from now on. Where a constant has the name of a parameter or buffer, that tensor stays and must
  /// have the constant's shape; new ones are taken from `model`. Returns the graph so far, with the weights that it
  /// came with. Throws Error, and changes nothing, where shapes differ.
  graph::Model replace(graph::Model model);

  void to(torch::Device device, torch::Dtype dtype, bool non_blocking = false) override;
  void to(torch::Dtype dtype, bool non_blocking = false) override;
  void to(torch::Device device, bool non_blocking = false) override;

 private:
  struct State;
  void build(State& state);
  std::unique_ptr<State> state_;
};

}  // namespace coppice
