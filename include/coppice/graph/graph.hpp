#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "coppice/tensor/tensor.hpp"

/// The graph IR. Its operator vocabulary is ONNX's; whatever of a file the IR does not model travels in `extra` fields
/// as opaque bytes of the format that read it, so that writing gives back what reading found.
namespace coppice::graph {

using tensor::DType;
using tensor::Shape;
using tensor::Tensor;

/// Index into Graph::values. Stable for the life of a graph.
using ValueId = std::int32_t;
/// An absent optional operand.
inline constexpr ValueId no_value = -1;

struct Graph;
using GraphPtr = std::shared_ptr<Graph>;

/// One declared extent: a number, or (size < 0) dynamic, with or without a name.
struct Dim {
  std::int64_t size = -1;
  std::string param;
  friend bool operator==(const Dim&, const Dim&) = default;
};

struct Value {
  std::string name;
  DType dtype = DType::undefined;         ///< As declared; undefined where the file says nothing.
  std::optional<std::vector<Dim>> shape;  ///< As declared.
  std::int32_t producer = -1;             ///< Index into Graph::nodes; kept by Graph::reindex().
  std::int32_t initializer = -1;          ///< Index into Graph::initializers; kept by Graph::reindex().
  bool declared = false;                  ///< The file lists it in value_info.
  bool is_input = false, is_output = false;
  bool captured = false;  ///< In a subgraph: belongs to an enclosing graph, by name.
  std::string extra;      ///< Opaque rest of the declaration.
};

/// An attribute's value; monostate where everything is in `Attribute::extra`.
using AttributeValue =
    std::variant<std::monostate, std::int64_t, float, std::string, Tensor, GraphPtr, std::vector<std::int64_t>,
                 std::vector<float>, std::vector<std::string>, std::vector<Tensor>, std::vector<GraphPtr>>;

struct Attribute {
  std::string name;
  AttributeValue value;
  std::string ref;    ///< In a function body: the attribute of the calling node that gives the value.
  std::string extra;  ///< Opaque rest (sparse tensors, type protos, doc strings).
};

struct Node {
  std::string op, domain, name;  ///< domain "" is ONNX's default domain ("ai.onnx" is read as "").
  std::vector<ValueId> inputs, outputs;
  std::vector<Attribute> attributes;
  std::string overload;  ///< Of the model-local function called.
  std::string extra;

  const Attribute* find(std::string_view wanted) const;
  Attribute* find(std::string_view wanted);
  /// Reads an attribute of the given kind; `fallback` when absent. Throws Error when it is of another kind.
  std::int64_t int_or(std::string_view wanted, std::int64_t fallback) const;
  float float_or(std::string_view wanted, float fallback) const;
  std::string string_or(std::string_view wanted, std::string_view fallback) const;
  /// Empty when absent.
  std::span<const std::int64_t> ints(std::string_view wanted) const;
  bool has(std::string_view wanted) const { return find(wanted) != nullptr; }
  /// Replaces or adds.
  void set(std::string_view wanted, AttributeValue value);
  void erase(std::string_view wanted);

  ValueId input(std::size_t i) const { return i < inputs.size() ? inputs[i] : no_value; }
  ValueId output(std::size_t i) const { return i < outputs.size() ? outputs[i] : no_value; }
  bool is(std::string_view op_type) const { return domain.empty() && op == op_type; }
};

struct Initializer {
  ValueId value = no_value;
  Tensor tensor;
  bool external = false;  ///< The file keeps its bytes in a side file.
  std::string extra;
};

/// A computation in static single assignment form. Nodes of a checked graph stand in topological order.
struct Graph {
  std::string name;
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<Initializer> initializers;
  std::vector<ValueId> inputs, outputs;
  std::string extra;

  /// The value of that name, created when it does not exist.
  ValueId value(std::string_view wanted);
  /// no_value when there is none.
  ValueId find(std::string_view wanted) const;
  /// A new value whose name starts with `stem` and is unique here.
  ValueId fresh(std::string_view stem);

  /// Adds an initializer for a (so far undefined) value.
  ValueId add_initializer(std::string_view wanted, Tensor tensor);

  /// The tensor of an initializer or of a `Constant` node's output (any of its forms but sparse and string ones);
  /// null when the value is not constant. A Constant's value_int and the like are materialised on first use.
  const Tensor* constant(ValueId value) const;
  /// Replaces the tensor of such a value.
  void set_constant(ValueId value, Tensor tensor);

  /// Recomputes every Value::producer, Value::initializer, is_input and is_output after the lists were edited.
  void reindex();
  /// Stable topological sort of the nodes (subgraph captures count as operands), then reindex().
  /// Throws Error naming a node on a cycle.
  void sort();
  /// Checks single assignment, operands that exist, known ids, order. Throws Error naming the node or value.
  void check() const;

  /// Nodes that read each value (index into nodes; a node that reads twice appears twice; subgraph captures count).
  std::vector<std::vector<std::int32_t>> consumers() const;

  std::string_view name_of(ValueId value) const {
    return value == no_value ? std::string_view() : std::string_view(values[static_cast<std::size_t>(value)].name);
  }

  mutable std::unordered_map<std::string, ValueId> index;  ///< name -> id; use value() and find().
  std::unordered_map<std::string, std::size_t> suffixes;   ///< The last that fresh() tried, by stem.
};

/// Names that the node's subgraphs (at any depth) take from outside the node, each once, in order of appearance.
std::vector<std::string> captured_names(const Node& node);

/// A node's display name: its own, else its first output's, with the operator: `Conv "/layer1/conv1"`.
std::string describe(const Graph& graph, const Node& node);

}  // namespace coppice::graph
