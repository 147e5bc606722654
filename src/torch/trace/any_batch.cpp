#include "torch/trace/any_batch.hpp"

#include <algorithm>
#include <cstring>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/graph/builder.hpp"

namespace coppice::tracing {
namespace {

using graph::attr;
using graph::Node;
using graph::ValueId;
using tensor::Tensor;

bool equal(const Tensor& a, const Tensor& b) {
  if (a.dtype != b.dtype || a.shape != b.shape) return false;
  return a.bytes.same_place(b.bytes) ||
         (a.bytes.size() == b.bytes.size() && std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) == 0);
}

bool equal(const graph::Attribute& a, const graph::Attribute& b) {
  if (a.name != b.name || a.value.index() != b.value.index()) return false;
  if (const auto* tensor = std::get_if<Tensor>(&a.value)) return equal(*tensor, std::get<Tensor>(b.value));
  if (const auto* number = std::get_if<std::int64_t>(&a.value)) return *number == std::get<std::int64_t>(b.value);
  if (const auto* real = std::get_if<float>(&a.value)) return *real == std::get<float>(b.value);
  if (const auto* text = std::get_if<std::string>(&a.value)) return *text == std::get<std::string>(b.value);
  if (const auto* list = std::get_if<std::vector<std::int64_t>>(&a.value))
    return *list == std::get<std::vector<std::int64_t>>(b.value);
  return true;  // the translation makes no other lists that could depend on a size
}

class Merge {
 public:
  explicit Merge(const TwoBatches& traces) : traces_(traces), out_(traces.first) {}

  graph::Model run() {
    const std::size_t count = std::min(out_.graph.nodes.size(), traces_.second.graph.nodes.size());
    for (std::size_t i = 0; i < count; ++i) compare_nodes(out_.graph.nodes[i], traces_.second.graph.nodes[i]);
    if (out_.graph.nodes.size() != traces_.second.graph.nodes.size())
      throw Error("a batch of another size takes another number of steps: the module cannot have a dynamic batch");
    const std::size_t nodes = out_.graph.nodes.size();
    for (std::size_t i = 0; i < nodes; ++i)
      for (std::size_t k = 0; k < out_.graph.nodes[i].inputs.size(); ++k) compare_operand(i, k);
    for (std::size_t i = 0; i < out_.graph.inputs.size(); ++i)
      loosen(out_.graph.inputs[i], traces_.second.graph.inputs[i]);
    for (std::size_t i = 0; i < out_.graph.outputs.size(); ++i)
      loosen(out_.graph.outputs[i], traces_.second.graph.outputs[i]);
    std::erase_if(out_.graph.initializers, [&](const graph::Initializer& each) {
      return std::find(replaced_.begin(), replaced_.end(), each.value) != replaced_.end();
    });
    out_.graph.sort();
    out_.graph.check();
    return std::move(out_);
  }

 private:
  [[noreturn]] void refuse(const Node& node, const std::string& what) const {
    throw Error(describe(traces_.first.graph, node) + ": " + what + " depends on the size of the batch (" +
                std::to_string(traces_.first_size) + " or " + std::to_string(traces_.second_size) +
                ") in a way that cannot be computed from the input's shape");
  }

  void compare_nodes(const Node& a, const Node& b) const {
    if (a.op != b.op || a.inputs != b.inputs || a.attributes.size() != b.attributes.size())
      refuse(a, "what the module does here");
    for (std::size_t k = 0; k < a.attributes.size(); ++k)
      if (!equal(a.attributes[k], b.attributes[k])) refuse(a, "attribute " + a.attributes[k].name);
  }

  void compare_operand(std::size_t index, std::size_t operand) {
    const Node& node = out_.graph.nodes[index];
    const ValueId id = node.inputs[operand];
    const Tensor* a = traces_.first.graph.constant(id);
    if (!a) return;
    const Tensor& b = *traces_.second.graph.constant(id);
    if (equal(*a, b)) return;
    const bool shape = (operand == 1 && (node.is("Reshape") || node.is("Expand"))) || node.is("ConstantOfShape");
    if (!shape || a->shape != b.shape) refuse(node, "operand \"" + std::string(out_.graph.name_of(id)) + "\"");
    const ValueId target = extents(node, *a, b);
    out_.graph.nodes[index].inputs[operand] = target;
    replaced_.push_back(id);
  }

  // The extents, with those that grow with the batch computed from it.
  ValueId extents(const Node& node, const Tensor& a, const Tensor& b) {
    std::vector<std::int64_t> first, varying;
    for (std::int64_t k = 0; k < a.elements(); ++k) {
      first.push_back(element_as_int(a, k));
      const std::int64_t second = element_as_int(b, k);
      if (first.back() == second) continue;
      if (first.back() % traces_.first_size != 0 || first.back() / traces_.first_size * traces_.second_size != second)
        refuse(node, "extent " + std::to_string(k));
      varying.push_back(k);
    }
    const std::string stem = node.name + "/extents";
    const bool inferred =
        node.is("Reshape") && varying.size() == 1 && std::find(first.begin(), first.end(), -1) == first.end();
    if (inferred) {
      first[static_cast<std::size_t>(varying[0])] = -1;
      return add(stem, Tensor::ints(first));
    }
    std::vector<ValueId> parts;
    std::vector<std::int64_t> literals;
    const auto flush = [&] {
      if (!literals.empty()) parts.push_back(add(stem + "_part", Tensor::ints(literals)));
      literals.clear();
    };
    for (std::int64_t k = 0; k < a.elements(); ++k) {
      const std::int64_t extent = first[static_cast<std::size_t>(k)];
      if (std::find(varying.begin(), varying.end(), k) == varying.end()) {
        literals.push_back(extent);
        continue;
      }
      flush();
      const std::int64_t factor = extent / traces_.first_size;
      parts.push_back(factor == 1
                          ? batch()
                          : add("Mul", {batch(), add(stem + "_factor", Tensor::ints(std::span(&factor, 1)))}, stem));
    }
    flush();
    return parts.size() == 1 ? parts[0] : add("Concat", std::move(parts), stem, {attr("axis", 0)});
  }

  // The batch as a list of one number.
  ValueId batch() {
    if (batch_ == graph::no_value)
      batch_ = add("Shape", {out_.graph.inputs.at(0)}, "batch",
                   {attr("start", traces_.axis), attr("end", traces_.axis + 1)});
    return batch_;
  }

  ValueId add(const std::string& stem, Tensor tensor) {
    const ValueId id = out_.graph.fresh(stem);
    out_.graph.add_initializer(std::string(out_.graph.name_of(id)), std::move(tensor));
    return id;
  }

  ValueId add(std::string op, std::vector<ValueId> inputs, const std::string& stem,
              std::vector<graph::Attribute> attributes = {}) {
    const ValueId id = out_.graph.fresh(stem);
    Node node;
    node.op = std::move(op);
    node.name = out_.graph.name_of(id);
    node.inputs = std::move(inputs);
    node.outputs = {id};
    node.attributes = std::move(attributes);
    out_.graph.nodes.push_back(std::move(node));
    return id;
  }

  void loosen(ValueId id, ValueId other) {
    std::vector<graph::Dim>& dims = *out_.graph.values[at(id)].shape;
    const std::vector<graph::Dim>& others = *traces_.second.graph.values[at(other)].shape;
    for (std::size_t k = 0; k < dims.size(); ++k) {
      if (dims[k].size == others.at(k).size) continue;
      dims[k].param = dims[k].size == traces_.first_size ? "batch" : "";
      dims[k].size = -1;
    }
  }

  const TwoBatches& traces_;
  graph::Model out_;
  ValueId batch_ = graph::no_value;
  std::vector<ValueId> replaced_;
};

}  // namespace

graph::Model any_batch(const TwoBatches& traces) {
  return Merge(traces).run();
}

}  // namespace coppice::tracing
