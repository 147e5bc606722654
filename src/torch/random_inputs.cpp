#include "coppice/torch/random_inputs.hpp"

#include <algorithm>
#include <string>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/torch/tensors.hpp"

namespace coppice {
namespace {

using graph::ValueId;

// What passes the elements of its first operand on: indices are still indices behind it.
bool passes_on(const graph::Node& node) {
  for (const char* op :
       {"Cast", "Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Slice", "Expand"})
    if (node.is(op)) return true;
  return false;
}

// One above the largest index that an input may hold, as far as lookups tell; 2 where none does.
std::int64_t bound(const graph::Model& model, const graph::Facts& facts,
                   const std::vector<std::vector<std::int32_t>>& consumers, ValueId input) {
  const graph::Graph& graph = model.graph;
  std::int64_t out = -1;
  std::vector<ValueId> open{input};
  std::vector<std::uint8_t> seen(graph.values.size(), 0);
  while (!open.empty()) {
    const ValueId value = open.back();
    open.pop_back();
    if (seen[at(value)]++) continue;
    for (const std::int32_t n : consumers[at(value)]) {
      const graph::Node& node = graph.nodes[at(n)];
      if (passes_on(node) && node.input(0) == value && node.output(0) != graph::no_value)
        open.push_back(node.output(0));
      const bool lookup = node.is("Gather") || node.is("GatherElements");
      if (!lookup || node.input(1) != value || !facts[at(node.input(0))].complete()) continue;
      const graph::Shape& table = facts[at(node.input(0))].shape;
      const std::int64_t axis = node.int_or("axis", 0), rank = static_cast<std::int64_t>(table.size());
      if (rank == 0 || axis < -rank || axis >= rank) continue;
      const std::int64_t extent = table[static_cast<std::size_t>(axis < 0 ? axis + rank : axis)];
      out = out < 0 ? extent : std::min(out, extent);
    }
  }
  return out > 0 ? out : 2;
}

}  // namespace

std::vector<at::Tensor> random_inputs(const graph::Model& model, const graph::World& world, std::uint64_t seed) {
  const graph::Graph& graph = model.graph;
  const graph::Facts facts = graph::infer_tolerant(model, graph, world, nullptr);
  const auto consumers = graph.consumers();
  at::Generator generator = at::detail::createCPUGenerator(seed);
  std::vector<at::Tensor> out;
  for (const ValueId input : graph.inputs) {
    const graph::Value& value = graph.values[at(input)];
    if (value.initializer >= 0) continue;
    const graph::Fact& fact = facts[at(input)];
    if (!fact.complete())
      throw Error("input \"" + value.name + "\": its extents are not known; give them with --shape " + value.name +
                  "=...");
    const at::ScalarType type = scalar_type(value.dtype);
    if (at::isFloatingType(type) || at::isComplexType(type)) {
      out.push_back(at::randn(fact.shape, generator, at::TensorOptions(at::kFloat)).to(type));
    } else {
      const std::int64_t high = type == at::kBool ? 2 : bound(model, facts, consumers, input);
      out.push_back(at::randint(0, high, fact.shape, generator, at::TensorOptions(at::kLong)).to(type));
    }
  }
  return out;
}

}  // namespace coppice
