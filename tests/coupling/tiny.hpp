#pragma once
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "coppice/coupling/couplings.hpp"
#include "coppice/graph/builder.hpp"

namespace coppice::coupling {

using graph::attr;
using graph::AttributeValue;
using graph::DType;
using graph::ValueId;
using Indices = std::vector<std::int64_t>;

/// A small graph with constants of ones, and questions about its units by name of value, axis and index.
class Tiny {
 public:
  explicit Tiny(std::int64_t opset = 17) : b("tiny", opset) {}

  ValueId x(std::string_view name, const graph::Shape& shape, DType dtype = DType::float32) {
    return b.input(name, dtype, dims(shape));
  }
  ValueId w(std::string_view name, const graph::Shape& shape, DType dtype = DType::float32) {
    const std::vector<double> ones(static_cast<std::size_t>(tensor::element_count(shape)), 1);
    return b.initializer(name, tensor::from_doubles(dtype, shape, ones));
  }
  /// A node named by its operator and a number; an operator of another domain is given as "com.microsoft.Gelu".
  ValueId op(std::string_view type, std::vector<ValueId> inputs, std::vector<graph::Attribute> attributes = {}) {
    const auto [domain, plain] = apart(type);
    const ValueId out =
        b.op(plain, std::move(inputs), std::move(attributes), std::string(plain) + std::to_string(count_++));
    b.graph().nodes.back().domain = domain;
    return out;
  }
  /// The same with several outputs, named "Split1:0", "Split1:1"...
  std::vector<ValueId> ops(std::string_view type, std::vector<ValueId> inputs, std::size_t outputs,
                           std::vector<graph::Attribute> attributes = {}) {
    const auto [domain, plain] = apart(type);
    auto out = b.op_multi(plain, std::move(inputs), outputs, std::move(attributes),
                          std::string(plain) + std::to_string(count_++));
    b.graph().nodes.back().domain = domain;
    return out;
  }
  /// Domain and operator of "com.microsoft.Gelu" or "Relu".
  static std::pair<std::string_view, std::string_view> apart(std::string_view type) {
    const auto dot = type.rfind('.');
    if (dot == std::string_view::npos) return {"", type};
    return {type.substr(0, dot), type.substr(dot + 1)};
  }
  ValueId ints(Indices values) { return b.ints(std::move(values)); }
  /// x @ a constant [inputs, outputs] of that name.
  ValueId fc(ValueId from, std::string_view name, std::int64_t in, std::int64_t out) {
    return op("MatMul", {from, w(name, {in, out})});
  }
  /// A convolution with a 1x1 kernel; the weight bears the name.
  ValueId conv(ValueId from, std::string_view name, std::int64_t in, std::int64_t out, std::int64_t group = 1) {
    return op("Conv", {from, w(name, {out, in / group, 1, 1})}, {attr("group", group)});
  }
  void out(ValueId value) { b.output(value, DType::float32, {}); }

  void run(const Options& options = {}, const Demands& demands = {}) {
    for (ValueId o : b.graph().outputs) b.graph().values[static_cast<std::size_t>(o)].shape.reset();
    model = std::move(b).finish();
    graph::World world = graph::choose_worlds(model, {}).first;
    world.data_extent = 6;
    facts = graph::infer_tolerant(model, model.graph, world, &problems);
    c = couple(model, facts, options, demands);
  }

  ValueId id(std::string_view name) const {
    const ValueId v = model.graph.find(name);
    EXPECT_NE(v, graph::no_value) << name;
    return v;
  }
  const Axis& axis(std::string_view name, std::size_t k) const { return c.axes(id(name))[k]; }
  bool tracked(std::string_view name, std::size_t k) const { return axis(name, k).tracked(); }
  /// The unit of an index; -1 where there is none. Factors other than the carrier have units as well: the open one
  /// counts.
  std::int32_t unit(std::string_view name, std::size_t k, std::int64_t i) const {
    const auto factors = c.factors(axis(name, k));
    std::int64_t inner = axis(name, k).length;
    std::int32_t found = -1;
    for (const Factor& f : factors) {
      inner /= f.length;
      if (f.track == no_track) continue;
      const std::int32_t u = c.track(f.track)[static_cast<std::size_t>(i / inner % f.length)];
      if (found < 0 || !c.units()[static_cast<std::size_t>(u)].locked) found = u;
    }
    return found;
  }
  std::vector<std::int32_t> units(std::string_view name, std::size_t k) const {
    std::vector<std::int32_t> out;
    for (std::int64_t i = 0; i < axis(name, k).length; ++i) out.push_back(unit(name, k, i));
    return out;
  }
  std::vector<std::int32_t> units_at(std::string_view name, std::size_t k, const Indices& indices) const {
    std::vector<std::int32_t> out;
    for (std::int64_t i : indices) out.push_back(unit(name, k, i));
    return out;
  }
  const Unit& info(std::string_view name, std::size_t k, std::int64_t i = 0) const {
    return c.units()[static_cast<std::size_t>(unit(name, k, i))];
  }
  bool open(std::string_view name, std::size_t k, std::int64_t i = 0) const {
    return unit(name, k, i) >= 0 && !info(name, k, i).locked;
  }
  std::string locker(const Unit& u) const {
    return u.node < 0 ? "" : model.graph.nodes[static_cast<std::size_t>(u.node)].name;
  }

  graph::Builder b;
  graph::Model model;
  graph::Facts facts;
  Couplings c;
  std::vector<std::string> problems;

 private:
  static std::vector<graph::Dim> dims(const graph::Shape& shape) {
    std::vector<graph::Dim> out;
    for (std::int64_t d : shape) out.push_back({d, {}});
    return out;
  }
  int count_ = 0;
};

}  // namespace coppice::coupling
