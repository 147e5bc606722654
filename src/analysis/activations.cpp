#include "coppice/analysis/activations.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "coppice/base/at.hpp"

namespace coppice::analysis {
namespace {

using graph::Node;
using graph::ValueId;

bool shares_memory(const Node& node) {
  for (const char* op : {"Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Dropout"})
    if (node.is(op)) return true;
  return false;
}

std::optional<std::uint64_t> bytes_of(const graph::Fact& fact) {
  if (!fact.complete() || tensor::bit_width(fact.dtype) == 0) return std::nullopt;
  // Extents that a user gave may be larger than any memory.
  std::uint64_t elements = 1;
  for (const std::int64_t extent : fact.shape)
    if (__builtin_mul_overflow(elements, static_cast<std::uint64_t>(extent), &elements)) return std::nullopt;
  if (elements > (std::uint64_t{1} << 56)) return std::nullopt;
  return tensor::byte_size(fact.dtype, static_cast<std::int64_t>(elements));
}

}  // namespace

std::optional<std::uint64_t> peak_activation_bytes(const pruning::Prepared& prepared) {
  const graph::Graph& graph = prepared.model.graph;
  const std::size_t count = graph.values.size();
  std::vector<ValueId> memory(count);  // the value whose memory each one lives in
  std::iota(memory.begin(), memory.end(), 0);
  std::vector<std::size_t> last(count, 0);  // by memory: behind which node it is free
  std::vector<std::uint8_t> constant(count, 0);
  for (const graph::Initializer& initializer : graph.initializers) constant[at(initializer.value)] = 1;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    const auto is_constant = [&](ValueId v) { return v == graph::no_value || constant[at(v)] != 0; };
    const bool folds = node.is("Constant") ||
                       (!node.inputs.empty() && std::all_of(node.inputs.begin(), node.inputs.end(), is_constant));
    for (const ValueId output : node.outputs)
      if (output != graph::no_value) constant[at(output)] = folds ? 1 : 0;
    if (shares_memory(node) && node.input(0) != graph::no_value && node.output(0) != graph::no_value)
      memory[at(node.output(0))] = memory[at(node.input(0))];
    for (const ValueId input : node.inputs)
      if (input != graph::no_value) last[at(memory[at(input)])] = n;
    for (const std::string& name : graph::captured_names(node))
      if (const ValueId value = graph.find(name); value != graph::no_value) last[at(memory[at(value)])] = n;
  }
  for (const ValueId output : graph.outputs) last[at(memory[at(output)])] = graph.nodes.size();

  std::uint64_t alive = 0, most = 0;
  std::vector<std::vector<std::uint64_t>> freed(graph.nodes.size() + 1);
  const auto add = [&](ValueId value) {
    const auto bytes = bytes_of(prepared.counting[at(value)]);
    if (!bytes) return false;
    alive += *bytes;
    most = std::max(most, alive);
    freed[last[at(value)]].push_back(*bytes);
    return true;
  };
  for (const ValueId input : graph.inputs)
    if (!constant[at(input)] && !add(input)) return std::nullopt;
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    for (const ValueId output : graph.nodes[n].outputs) {
      if (output == graph::no_value || constant[at(output)] || memory[at(output)] != output) continue;
      last[at(output)] = std::max(last[at(output)], n);
      if (!add(output)) return std::nullopt;
    }
    for (const std::uint64_t bytes : freed[n]) alive -= bytes;
  }
  return most;
}

}  // namespace coppice::analysis
