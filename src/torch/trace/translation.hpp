#pragma once
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <torch/csrc/jit/ir/ir.h>

#include "torch/trace/record.hpp"
#include "torch/trace/site.hpp"

namespace coppice::tracing {

using JitNode = torch::jit::Node;
using JitValue = torch::jit::Value;

/// Turns a recording into a model.
class Translation {
 public:
  Translation(const Recording& recording, std::string graph_name);
  graph::Model finish() &&;

 private:
  friend class Site;
  /// What stands for a tensor of the recording.
  struct Known {
    ValueId id = graph::no_value;
    std::optional<double> splat;  ///< Filled with one number; `id` is set once somebody needs a tensor.
  };

  graph::Graph& graph() { return builder_.graph(); }
  void add_inputs();
  void add_outputs();
  void add_node(const JitNode* node);
  void add_unmapped(Site& site, const JitNode* node, std::span<const JitValue* const> rewritten);
  void add_plain(const JitNode* node);
  std::string stem(const JitNode* node);

  /// The graph's value; made where it is a parameter, a constant or a filled tensor.
  ValueId value(const JitValue* value);
  Ints shape_of(const JitValue* value) const;
  at::ScalarType dtype_of(const JitValue* value) const;
  std::optional<double> splat_of(const JitValue* value) const;
  /// The tensors whose memory the node writes to beside its first argument's, and that are read after it.
  std::vector<const JitValue*> rewritten(const JitNode* node);
  std::optional<std::size_t> leaf(const JitValue* value) const;
  /// The leaf that the value is, or is nothing but a function of.
  std::optional<std::size_t> origin(const JitValue* value);
  std::string unused_name(const std::string& stem);
  ValueId initializer(const std::string& name, tensor::Tensor tensor);

  const Recording& recording_;
  graph::Builder builder_;
  std::unordered_map<const JitValue*, Known> known_;
  std::unordered_map<std::size_t, ValueId> initializers_;  ///< Of leaves.
  std::unordered_set<std::string> reserved_;  ///< Names of leaves, and of nodes without a value of that name.
  std::map<std::string, std::size_t> stems_;  ///< Which leaf gave a node its name.
  std::unordered_map<const JitValue*, std::size_t> origins_;
  std::unordered_map<const JitValue*, const JitValue*> bases_;  ///< Of views: what they may look at.
};

/// The results of a node: of a list, its elements.
std::vector<const JitValue*> results_of(const JitNode* node);

/// Without "aten::" and the underscore that says that the operator writes to its first argument.
std::string_view plain_name(const JitNode* node);
bool writes(const JitNode* node);
/// Whether an operator's results may share the memory of its first argument.
bool makes_view(std::string_view op);

}  // namespace coppice::tracing
