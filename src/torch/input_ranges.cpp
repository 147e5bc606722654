#include "torch/input_ranges.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <numeric>
#include <string_view>
#include <utility>

#include "coppice/base/at.hpp"

namespace coppice {
namespace {

using graph::Node;
using graph::ValueId;

// Operands whose elements come out as they are.
bool passes_on(const Node& node, std::size_t operand) {
  static constexpr std::array<std::string_view, 11> first{"Cast",    "Identity",  "Reshape", "Unsqueeze",
                                                          "Squeeze", "Transpose", "Expand",  "Flatten",
                                                          "Slice",   "Split",     "Tile"};
  if (!node.domain.empty()) return false;
  if (node.op == "Concat" || node.op == "Max" || node.op == "Min") return true;
  if (node.op == "Where") return operand > 0;
  return operand == 0 && (node.op == "Gather" || std::find(first.begin(), first.end(), node.op) != first.end());
}

// Whether an operand of that shape can take the result's, which may be no more than what the file says of it: extents
// with a name of their own get any number.
bool reaches(const Node& node, const graph::Fact& operand, const graph::Fact& result) {
  if (!operand.complete()) return true;
  const graph::Shape &from = operand.shape, &to = result.shape;
  if (node.is("Reshape")) return tensor::element_count(from) == tensor::element_count(to);
  return from.size() <= to.size() && std::equal(from.rbegin(), from.rend(), to.rbegin(),
                                                [](std::int64_t a, std::int64_t b) { return a == 1 || a == b; });
}

class Follower {
 public:
  Follower(const graph::Model& model, const graph::Facts& facts)
      : graph_(model.graph), facts_(facts), consumers_(model.graph.consumers()) {}

  InputRange follow(ValueId input) {
    range_ = {};
    bound_ = std::numeric_limits<std::int64_t>::max();
    std::vector<std::uint8_t> seen(graph_.values.size(), 0);
    std::vector<ValueId> open{input};
    seen[at(input)] = 1;
    while (!open.empty()) {
      const ValueId value = open.back();
      open.pop_back();
      for (const std::int32_t reader : consumers_[at(value)]) {
        const Node& node = graph_.nodes[at(reader)];
        for (std::size_t i = 0; i < node.inputs.size(); ++i) {
          if (node.inputs[i] != value) continue;
          read(node, i);
          if (!passes_on(node, i)) continue;
          for (const ValueId output : node.outputs)
            if (output != graph::no_value && !std::exchange(seen[at(output)], std::uint8_t{1})) open.push_back(output);
        }
      }
    }
    if (bound_ != std::numeric_limits<std::int64_t>::max()) {
      range_.high = std::max(bound_, range_.low + 1);
      range_.index = true;
    }
    return range_;
  }

 private:
  std::int64_t extent(ValueId value, std::int64_t axis) const {
    if (value == graph::no_value || !facts_[at(value)].ranked) return -1;
    const graph::Shape& shape = facts_[at(value)].shape;
    if (axis < 0) axis += static_cast<std::int64_t>(shape.size());
    return axis >= 0 && axis < static_cast<std::int64_t>(shape.size()) ? shape[static_cast<std::size_t>(axis)] : -1;
  }
  void bound(std::int64_t length) {
    if (length > 0) bound_ = std::min(bound_, length);
  }

  void read(const Node& node, std::size_t i) {
    const graph::OpDef* def = graph::find_op(node.domain, node.op);
    if (def && i < 32 && (def->structural >> i & 1u) != 0) {
      shape(node, i);
    } else if (i == 1 && (node.is("Gather") || node.is("GatherElements") || node.is("ScatterElements"))) {
      bound(extent(node.inputs[0], node.int_or("axis", 0)));
    } else if (i == 1 && (node.is("GatherND") || node.is("ScatterND"))) {
      const std::int64_t first = node.int_or("batch_dims", 0), depth = extent(node.inputs[1], -1);
      for (std::int64_t k = 0; k < depth; ++k) bound(extent(node.inputs[0], first + k));
    } else if (i == 4 && (node.is("LSTM") || node.is("GRU") || node.is("RNN"))) {
      range_.low = 1;  // lengths of sequences
      if (const std::int64_t length = extent(node.inputs[0], 0); length > 0) bound(length + 1);
    } else if (node.op == "EmbedLayerNormalization" && i < 2) {
      bound(extent(node.input(i == 0 ? 2 : 4), 0));
    } else if (node.op == "GroupQueryAttention" && (i == 5 || i == 6)) {
      const std::int64_t past = std::max<std::int64_t>(extent(node.input(3), 2), 0), now = extent(node.input(0), 1);
      range_.pattern = {past + now - (i == 5 ? 1 : 0)};
    }
  }

  // Operands that shape the computation: what is always possible, where something is.
  void shape(const Node& node, std::size_t i) {
    const ValueId operand = node.inputs[i];
    const auto count = static_cast<std::size_t>(std::max<std::int64_t>(extent(operand, 0), 1));
    std::vector<std::int64_t>& pattern = range_.pattern;
    const graph::Fact& result = facts_[at(node.outputs[0])];
    if ((node.is("Reshape") || node.is("Expand")) && result.complete() && result.rank() == count &&
        reaches(node, facts_[at(node.inputs[0])], result)) {
      pattern = result.shape;
    } else if (node.is("Reshape")) {
      pattern.assign(count, 1);
      pattern[0] = -1;
    } else if (node.is("Slice") && i <= 3) {
      if (i == 1) pattern = {0};
      if (i == 2) pattern = {std::numeric_limits<std::int32_t>::max()};
      if (i == 3) {
        pattern.resize(count);
        std::iota(pattern.begin(), pattern.end(), 0);
      }
    } else if (node.is("Split") && extent(node.inputs[0], node.int_or("axis", 0)) > 0) {
      const std::int64_t length = extent(node.inputs[0], node.int_or("axis", 0));
      pattern.assign(count, length / static_cast<std::int64_t>(count));
      pattern.back() += length % static_cast<std::int64_t>(count);
    } else if (node.is("Resize") && i == 3 && facts_[at(node.inputs[0])].complete()) {
      pattern = facts_[at(node.inputs[0])].shape;
    } else if (node.is("Pad") || node.is("Unsqueeze") || node.is("Squeeze") || node.op.starts_with("Reduce")) {
      pattern.resize(count);
      if (!node.is("Pad")) std::iota(pattern.begin(), pattern.end(), 0);
    } else {
      pattern = {1};
    }
  }

  const graph::Graph& graph_;
  const graph::Facts& facts_;
  std::vector<std::vector<std::int32_t>> consumers_;
  InputRange range_;
  std::int64_t bound_ = 0;
};

}  // namespace

std::vector<InputRange> input_ranges(const graph::Model& model, const graph::Facts& facts) {
  std::vector<InputRange> out;
  Follower follower(model, facts);
  for (const ValueId input : model.graph.inputs)
    if (model.graph.values[at(input)].initializer < 0) out.push_back(follower.follow(input));
  return out;
}

}  // namespace coppice
