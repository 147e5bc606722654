#include "torch/scoring/layers.hpp"

#include <optional>

#include "coppice/base/at.hpp"
#include "coppice/importance/members.hpp"

namespace coppice::scoring {
namespace {

using graph::Node;
using graph::ValueId;

// How a node reads the weight in operand i.
struct Reading {
  int contracted = -1;  // axis of the operand that meets the input's channels
  int input = -1;       // the other operand
  int input_channels = 0, output_channels = 0;
};

std::optional<Reading> reading(const Node& node, int operand, int rank) {
  if (node.is("Conv") && operand == 1) return Reading{1, 0, 1, 1};
  if (node.is("ConvTranspose") && operand == 1) return Reading{0, 0, 1, 1};
  if (node.is("MatMul") && operand == 1 && rank > 1) return Reading{rank - 2, 0, -1, -1};
  if (node.is("MatMul") && operand == 0 && rank > 1) return Reading{rank - 1, 1, -2, -2};
  if (node.is("Gemm") && operand == 1)
    return Reading{node.int_or("transB", 0) ? 1 : 0, 0, node.int_or("transA", 0) ? 0 : 1, 1};
  if (node.is("Gather") && operand == 0 && rank == 2) return Reading{-1, -1, 0, -1};
  return std::nullopt;
}

class Finder {
 public:
  explicit Finder(const pruning::Prepared& prepared)
      : graph_(prepared.model.graph), couplings_(prepared.couplings), readers_(graph_, couplings_) {}

  std::optional<Layer> of(ValueId weight) const {
    Layer out{weight};
    std::int32_t node = -1;
    for (std::size_t axis = 0; axis < couplings_.axes(weight).size(); ++axis)
      for (const importance::Reader& reader : readers_.of({weight, static_cast<std::int32_t>(axis)})) {
        const Node& candidate = graph_.nodes[at(reader.node)];
        const auto rank = static_cast<int>(couplings_.axes(candidate.input(at(reader.operand))).size());
        const auto how = reading(candidate, reader.operand, rank);
        if (!how || (node >= 0 && node != reader.node)) continue;
        if (reader.output) {
          out.output_axis = static_cast<int>(axis);
          out.output = with_bias(candidate.output(0));
          out.output_channels = how->output_channels;
        } else if (reader.axis == how->contracted) {
          out.input_axis = static_cast<int>(axis);
          const ValueId input = candidate.input(at(how->input));
          if (!couplings_.constant(input)) out.input = input;
          out.input_channels = how->input_channels;
        } else {
          continue;
        }
        node = reader.node;
      }
    if (node < 0) return std::nullopt;
    if (graph_.nodes[at(node)].is("Conv") || graph_.nodes[at(node)].is("ConvTranspose"))
      out.groups = graph_.nodes[at(node)].int_or("group", 1);
    return out;
  }

 private:
  // Where a matrix product is written as two nodes, its bias is in the second.
  ValueId with_bias(ValueId output) const {
    const auto next = readers_.nodes(output);
    if (next.size() != 1) return output;
    const Node& node = graph_.nodes[at(next[0])];
    const ValueId other = node.input(0) == output ? node.input(1) : node.input(0);
    return node.is("Add") && couplings_.constant(other) ? node.output(0) : output;
  }

  const graph::Graph& graph_;
  const coupling::Couplings& couplings_;
  importance::Readers readers_;
};

}  // namespace

std::vector<Layer> find_layers(const pruning::Prepared& prepared) {
  const Finder finder(prepared);
  std::vector<Layer> out;
  for (const ValueId constant : prepared.couplings.constants())
    if (auto layer = finder.of(constant)) out.push_back(*layer);
  return out;
}

}  // namespace coppice::scoring
