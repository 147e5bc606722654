#pragma once
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "coppice/graph/builder.hpp"
#include "coppice/graph/infer.hpp"
#include "coppice/pruning/cut.hpp"
#include "coppice/pruning/prepare.hpp"

#include "pruning/prepared.hpp"

/// One small graph, one cut, and what the cut made of it.
namespace coppice::pruning {

using Ints = std::vector<std::int64_t>;

/// Declared extents; a negative one is the dynamic "batch".
inline std::vector<graph::Dim> dims(const graph::Shape& shape) {
  std::vector<graph::Dim> out;
  for (std::int64_t extent : shape) out.push_back({extent, extent < 0 ? "batch" : ""});
  return out;
}

inline graph::Attribute ints(std::string_view name, Ints values) {
  return graph::attr(name, graph::AttributeValue(std::move(values)));
}

inline graph::Attribute text(std::string_view name, std::string_view value) {
  return graph::attr(name, graph::AttributeValue(std::string(value)));
}

/// A 1 x 1 convolution (or a matrix product, where x has no space) from `in` to `out` channels with weight `name`.
inline graph::ValueId conv(graph::Builder& b, graph::ValueId x, std::string_view name, std::int64_t out,
                           std::int64_t in) {
  return b.op("Conv", {x, b.initializer(std::string(name), filled({out, in, 1, 1}))});
}
inline graph::ValueId linear(graph::Builder& b, graph::ValueId x, std::string_view name, std::int64_t in,
                             std::int64_t out) {
  return b.op("MatMul", {x, b.initializer(std::string(name), filled({in, out}))});
}

/// Ends the graph with `x` as its output and prepares it. By reference: x may be made by the same builder in the call.
inline Prepared finish(graph::Builder&& b, graph::ValueId x, const graph::Shape& shape,
                       const PrepareOptions& options = {}) {
  b.output(x, graph::DType::float32, dims(shape));
  return prepare(std::move(b).finish(), options);
}

/// The units at these indices of an axis of a constant. Throws where one of them is locked: the test would be void.
inline std::vector<std::uint8_t> without(const Prepared& prepared, std::string_view constant, std::size_t axis,
                                         const Ints& indices) {
  const graph::ValueId value = prepared.model.graph.find(constant);
  if (value == graph::no_value) throw std::invalid_argument("no such constant");
  std::vector<std::uint8_t> removed(prepared.couplings.units().size(), 0);
  const auto track = prepared.couplings.track(prepared.couplings.axes(value)[axis].track);
  for (std::int64_t i : indices) {
    const auto unit = static_cast<std::size_t>(track[static_cast<std::size_t>(i)]);
    if (prepared.couplings.units()[unit].locked)
      throw std::invalid_argument("locked: " + std::string(explain(prepared.couplings.units()[unit].reason)));
    removed[unit] = 1;
  }
  return removed;
}

/// The model after the cut, with inference run anew on it.
struct Small {
  graph::Model model;
  graph::Facts first, second;

  Small(const Prepared& prepared, const std::vector<std::uint8_t>& removed)
      : model(cut(prepared, removed)),
        first(graph::infer(model, model.graph, prepared.worlds.first)),
        second(graph::infer(model, model.graph, prepared.worlds.second)) {}

  const graph::Node& node(std::string_view name) const {
    for (const graph::Node& n : model.graph.nodes)
      if (n.name == name) return n;
    throw std::invalid_argument("no such node");
  }
  std::size_t count(std::string_view op) const {
    std::size_t n = 0;
    for (const graph::Node& node : model.graph.nodes) n += node.is(op);
    return n;
  }
  static const graph::Fact& fact(const graph::Facts& facts, graph::ValueId value) {
    if (value == graph::no_value) throw std::invalid_argument("no such value");
    return facts[static_cast<std::size_t>(value)];
  }
  graph::Shape shape(std::string_view value) const { return fact(first, model.graph.find(value)).shape; }
  /// What operand `i` of a node says, in the world of the first shapes.
  Ints operand(std::string_view name, std::size_t i) const {
    return fact(first, node(name).input(i)).int_values().value();
  }
  Ints operand2(std::string_view name, std::size_t i) const {
    return fact(second, node(name).input(i)).int_values().value();
  }
  Ints attribute(std::string_view name, std::string_view which) const {
    const auto v = node(name).ints(which);
    return {v.begin(), v.end()};
  }
};

}  // namespace coppice::pruning
