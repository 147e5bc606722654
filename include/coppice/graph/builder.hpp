#pragma once
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "coppice/graph/model.hpp"

namespace coppice::graph {

/// Builds models in code: the zoo, tests, other formats. Nodes must be added in topological order.
class Builder {
 public:
  /// `opset` is the version of ONNX's default operator set.
  explicit Builder(std::string graph_name, std::int64_t opset = 17);

  /// A graph input; a negative size in `shape` is dynamic.
  ValueId input(std::string_view name, DType dtype, std::vector<Dim> shape);
  ValueId initializer(std::string_view name, Tensor tensor) {
    return model_.graph.add_initializer(name, std::move(tensor));
  }
  /// Marks a graph output and declares its type.
  void output(ValueId value, DType dtype, std::vector<Dim> shape);

  /// Adds a node with one output named `name` (node and value), or `op_N` when empty, and returns that output.
  ValueId op(std::string_view op, std::vector<ValueId> inputs, std::vector<Attribute> attributes = {},
             std::string_view name = {});
  /// Adds a node with several outputs, named `name:0`, `name:1`...
  std::vector<ValueId> op_multi(std::string_view op, std::vector<ValueId> inputs, std::size_t outputs,
                                std::vector<Attribute> attributes = {}, std::string_view name = {});

  /// Gives a value another name; throws Error when that name is taken.
  void rename(ValueId value, std::string_view name);

  /// An int64 vector or scalar initializer with a name of its own.
  ValueId ints(std::vector<std::int64_t> values);
  ValueId int_scalar(std::int64_t value);
  ValueId real_scalar(float value);

  Graph& graph() { return model_.graph; }
  Model& model() { return model_; }
  /// Checks the graph and hands it over.
  Model finish() &&;

 private:
  std::string name_for(std::string_view op, std::string_view name);
  Model model_;
  std::size_t counter_ = 0;
};

inline Attribute attr(std::string_view name, AttributeValue value) {
  return {std::string(name), std::move(value), {}, {}};
}
// Overloads for numbers, since int, int64 and float would convert to one another first.
inline Attribute attr(std::string_view name, int value) {
  return attr(name, AttributeValue(std::int64_t{value}));
}
inline Attribute attr(std::string_view name, std::int64_t value) {
  return attr(name, AttributeValue(value));
}
inline Attribute attr(std::string_view name, float value) {
  return attr(name, AttributeValue(value));
}

}  // namespace coppice::graph
