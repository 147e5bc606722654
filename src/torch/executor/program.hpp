#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "torch/executor/kernel.hpp"

namespace coppice::executor {

/// Sees a value when it has been computed, and may put another in its place.
using Observer = std::function<void(at::Tensor& value)>;

/// What all graphs of one model share while they run.
struct Context {
  bool training = false;
  std::optional<double> renewal;  ///< See GraphModule::renew_statistics.
  /// By name, of values of the outermost graph.
  std::unordered_map<std::string, std::vector<std::pair<int, Observer>>> observers;
};

/// The values of one graph while it runs.
struct Frame {
  const Context& context;
  Frame* outer = nullptr;  ///< Of the graph around a subgraph.
  std::vector<at::Tensor> values;
};

/// A constant of a graph: a handle on the tensor, which moves in place.
struct Constant {
  graph::ValueId value = graph::no_value;
  at::Tensor tensor;
};

/// A graph made ready to run.
class Program {
 public:
  /// Gives the tensor of a constant. `depth` is 0 in the outermost graph.
  using Load = std::function<at::Tensor(const graph::Graph&, graph::ValueId, int depth)>;

  /// `graph` is sorted and without calls of model-local functions. Throws Error naming the first node whose operator
  /// does not run here.
  Program(const graph::Model& model, const graph::Graph& graph, const Load& load) : Program(model, graph, load, {}) {}

  /// Inputs in the order of the graph's inputs that are not initializers. Throws Error naming the node that failed.
  std::vector<at::Tensor> run(const Context& context, Frame* outer, std::vector<at::Tensor> inputs) const;

  std::span<const graph::ValueId> inputs() const { return inputs_; }

 private:
  friend class Call;
  struct Step {
    Kernel kernel;
    std::vector<graph::ValueId> inputs, outputs;
    std::vector<graph::ValueId> dead;  ///< Not read after this step.
    std::string where;                 ///< For messages.
  };
  /// A value that an enclosing graph owns.
  struct Capture {
    graph::ValueId value;
    int hops;  ///< 1: the graph directly around this one.
    graph::ValueId source;
  };
  Program(const graph::Model& model, const graph::Graph& graph, const Load& load,
          const std::vector<const graph::Graph*>& around);
  void observe(const Context& context, std::span<const graph::ValueId> values, Frame& frame) const;

  std::size_t size_ = 0;
  std::vector<std::string> names_;  ///< Of the values; empty in a subgraph.
  std::vector<graph::ValueId> inputs_, outputs_;
  std::vector<Constant> constants_;
  std::vector<Capture> captures_;
  std::vector<Step> steps_;
};

}  // namespace coppice::executor
