#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "coppice/graph/model.hpp"
#include "coppice/torch/aten.hpp"

/// How operators run. Adding one: write a function that reads the node's attributes and returns what runs it, in the
/// file of its family under torch/kernels, and an entry in that file's add_..._kernels.
namespace coppice::executor {

class Program;
struct Frame;

/// What a node sees while it runs.
class Call {
 public:
  Call(Frame& frame, std::span<const graph::ValueId> inputs, std::span<const graph::ValueId> outputs)
      : frame_(frame), inputs_(inputs), outputs_(outputs) {}

  std::size_t input_count() const { return inputs_.size(); }
  std::size_t output_count() const { return outputs_.size(); }
  bool has(std::size_t i) const { return i < inputs_.size() && inputs_[i] != graph::no_value; }
  /// Operand i. Throws Error when the node has none.
  const at::Tensor& in(std::size_t i) const;
  /// Operand i; undefined when absent.
  at::Tensor maybe(std::size_t i) const { return has(i) ? in(i) : at::Tensor(); }
  /// The elements of an integer operand, on the host.
  std::vector<std::int64_t> ints(std::size_t i) const;
  /// The only element of an operand, as a number.
  double number(std::size_t i) const;

  bool wants(std::size_t i) const { return i < outputs_.size() && outputs_[i] != graph::no_value; }
  void out(std::size_t i, at::Tensor tensor);

  /// The module is in training mode.
  bool training() const;
  /// The share of new statistics in running ones that the module asks for; none: what the node says, when training.
  std::optional<double> renewal() const;
  /// Runs a subgraph (from Build::body) with these inputs; it sees the values of the graphs around it.
  std::vector<at::Tensor> run(const Program& body, std::vector<at::Tensor> inputs) const;

 private:
  Frame& frame_;
  std::span<const graph::ValueId> inputs_, outputs_;
};

using Kernel = std::function<void(Call&)>;

/// What is known of a node before it runs.
class Build {
 public:
  using MakeBody = std::function<std::shared_ptr<const Program>(const graph::Graph&)>;
  Build(const graph::Model& model, const graph::Graph& graph, const graph::Node& node, MakeBody make_body)
      : model_(model), graph_(graph), node_(node), make_body_(std::move(make_body)) {}

  const graph::Node& node() const { return node_; }
  const graph::Graph& graph() const { return graph_; }
  /// Version of the node's operator set.
  std::int64_t opset() const { return model_.opset(node_.domain); }
  bool has_input(std::size_t i) const { return node_.input(i) != graph::no_value; }

  std::int64_t integer(std::string_view name, std::int64_t fallback) const { return node_.int_or(name, fallback); }
  bool flag(std::string_view name, bool fallback = false) const { return node_.int_or(name, fallback ? 1 : 0) != 0; }
  double real(std::string_view name, double fallback) const {
    return node_.float_or(name, static_cast<float>(fallback));
  }
  std::string text(std::string_view name, std::string_view fallback) const { return node_.string_or(name, fallback); }
  /// Empty when absent.
  std::vector<std::int64_t> integers(std::string_view name) const;
  std::vector<double> reals(std::string_view name) const;
  /// The element type that an attribute names by its ONNX number.
  at::ScalarType type(std::string_view name, tensor::DType fallback) const;
  /// The compiled subgraph of an attribute. Throws Error when there is none.
  std::shared_ptr<const Program> body(std::string_view name) const;

 private:
  const graph::Model& model_;
  const graph::Graph& graph_;
  const graph::Node& node_;
  MakeBody make_body_;
};

using MakeKernel = Kernel (*)(const Build&);

struct KernelEntry {
  std::string_view domain, op;
  MakeKernel make;
};

/// All entries, in the order in which the families add them.
std::span<const KernelEntry> all_kernels();
/// Null for an operator that does not run here.
MakeKernel find_kernel(std::string_view domain, std::string_view op);

}  // namespace coppice::executor
