#include "coppice/graph/graph.hpp"

#include <algorithm>
#include <queue>
#include <unordered_set>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"

namespace coppice::graph {
namespace {

template <class T>
const T* typed(const Attribute* attribute, std::string_view kind, const Node& node) {
  if (!attribute) return nullptr;
  if (const T* value = std::get_if<T>(&attribute->value)) return value;
  throw Error("node \"" + node.name + "\" (" + node.op + "): attribute \"" + attribute->name + "\": expected " +
              std::string(kind));
}

const Tensor* constant_tensor(const Graph& graph, const Node& node) {
  (void)graph;
  if (!node.is("Constant")) return nullptr;
  const Attribute* value = node.find("value");
  return value ? std::get_if<Tensor>(&value->value) : nullptr;
}

// Turns value_int, value_ints, value_float, value_floats into the tensor form, so that constant() can hand out a
// pointer.
void materialise(Node& node) {
  if (!node.is("Constant") || node.has("value") || node.attributes.size() != 1) return;
  Attribute& a = node.attributes[0];
  Tensor tensor;
  if (const auto* i = std::get_if<std::int64_t>(&a.value); i && a.name == "value_int") {
    tensor = Tensor::scalar(*i);
  } else if (const auto* is = std::get_if<std::vector<std::int64_t>>(&a.value); is && a.name == "value_ints") {
    tensor = Tensor::ints(*is);
  } else if (const auto* f = std::get_if<float>(&a.value); f && a.name == "value_float") {
    tensor = Tensor::scalar(*f);
  } else if (const auto* fs = std::get_if<std::vector<float>>(&a.value); fs && a.name == "value_floats") {
    tensor = Tensor::of<float>(DType::float32, {static_cast<std::int64_t>(fs->size())}, *fs);
  } else {
    return;
  }
  a.name = "value";
  a.value = std::move(tensor);
}

void collect_captures(const Graph& graph, std::vector<std::string>& out, std::unordered_set<std::string>& seen,
                      std::vector<const Graph*>& scopes);

void collect_captures(const Node& node, std::vector<std::string>& out, std::unordered_set<std::string>& seen,
                      std::vector<const Graph*>& scopes) {
  for (const Attribute& attribute : node.attributes) {
    if (const auto* one = std::get_if<GraphPtr>(&attribute.value)) {
      if (*one) collect_captures(**one, out, seen, scopes);
    } else if (const auto* many = std::get_if<std::vector<GraphPtr>>(&attribute.value)) {
      for (const GraphPtr& graph : *many)
        if (graph) collect_captures(*graph, out, seen, scopes);
    }
  }
}

void collect_captures(const Graph& graph, std::vector<std::string>& out, std::unordered_set<std::string>& seen,
                      std::vector<const Graph*>& scopes) {
  for (const Value& value : graph.values) {
    if (!value.captured) continue;
    const bool inner = std::any_of(scopes.begin(), scopes.end(), [&](const Graph* scope) {
      const ValueId id = scope->find(value.name);
      return id != no_value && !scope->values[at(id)].captured;
    });
    if (!inner && seen.insert(value.name).second) out.push_back(value.name);
  }
  scopes.push_back(&graph);
  for (const Node& node : graph.nodes) collect_captures(node, out, seen, scopes);
  scopes.pop_back();
}

bool has_subgraph(const Node& node) {
  return std::any_of(node.attributes.begin(), node.attributes.end(), [](const Attribute& a) {
    return std::holds_alternative<GraphPtr>(a.value) || std::holds_alternative<std::vector<GraphPtr>>(a.value);
  });
}

template <class Visit>
void for_each_read(const Graph& graph, const Node& node, Visit visit) {
  for (ValueId input : node.inputs)
    if (input != no_value) visit(input);
  if (!has_subgraph(node)) return;
  for (const std::string& name : captured_names(node)) {
    const ValueId id = graph.find(name);
    if (id != no_value) visit(id);
  }
}

}  // namespace

const Attribute* Node::find(std::string_view wanted) const {
  for (const Attribute& attribute : attributes)
    if (attribute.name == wanted) return &attribute;
  return nullptr;
}

Attribute* Node::find(std::string_view wanted) {
  return const_cast<Attribute*>(static_cast<const Node*>(this)->find(wanted));
}

std::int64_t Node::int_or(std::string_view wanted, std::int64_t fallback) const {
  const auto* value = typed<std::int64_t>(find(wanted), "a whole number", *this);
  return value ? *value : fallback;
}

float Node::float_or(std::string_view wanted, float fallback) const {
  const auto* value = typed<float>(find(wanted), "a real number", *this);
  return value ? *value : fallback;
}

std::string Node::string_or(std::string_view wanted, std::string_view fallback) const {
  const auto* value = typed<std::string>(find(wanted), "a string", *this);
  return value ? *value : std::string(fallback);
}

std::span<const std::int64_t> Node::ints(std::string_view wanted) const {
  const auto* value = typed<std::vector<std::int64_t>>(find(wanted), "a list of whole numbers", *this);
  return value ? std::span<const std::int64_t>(*value) : std::span<const std::int64_t>();
}

void Node::set(std::string_view wanted, AttributeValue value) {
  if (Attribute* attribute = find(wanted)) {
    attribute->value = std::move(value);
    return;
  }
  attributes.push_back({std::string(wanted), std::move(value), {}, {}});
}

void Node::erase(std::string_view wanted) {
  std::erase_if(attributes, [&](const Attribute& attribute) { return attribute.name == wanted; });
}

ValueId Graph::value(std::string_view wanted) {
  const auto [it, added] = index.try_emplace(std::string(wanted), static_cast<ValueId>(values.size()));
  if (added) values.push_back({.name = std::string(wanted)});
  return it->second;
}

ValueId Graph::find(std::string_view wanted) const {
  const auto it = index.find(std::string(wanted));
  return it == index.end() ? no_value : it->second;
}

ValueId Graph::fresh(std::string_view stem) {
  std::string candidate(stem);
  if (!index.contains(candidate)) return value(candidate);
  // Where many copies of one value are made, the search goes on where it ended.
  std::size_t& tried = suffixes[candidate];
  do {
    candidate = std::string(stem) + "_" + std::to_string(++tried);
  } while (index.contains(candidate));
  return value(candidate);
}

ValueId Graph::add_initializer(std::string_view wanted, Tensor tensor) {
  const ValueId id = value(wanted);
  Value& v = values[at(id)];
  if (v.initializer >= 0 || v.producer >= 0) throw Error("value \"" + v.name + "\" is defined twice");
  v.initializer = static_cast<std::int32_t>(initializers.size());
  v.dtype = tensor.dtype;
  initializers.push_back({.value = id, .tensor = std::move(tensor)});
  return id;
}

const Tensor* Graph::constant(ValueId id) const {
  if (id == no_value) return nullptr;
  const Value& v = values[at(id)];
  if (v.initializer >= 0) return &initializers[at(v.initializer)].tensor;
  if (v.producer < 0) return nullptr;
  return constant_tensor(*this, nodes[at(v.producer)]);
}

void Graph::set_constant(ValueId id, Tensor tensor) {
  const Value& v = values[at(id)];
  if (v.initializer >= 0) {
    initializers[at(v.initializer)].tensor = std::move(tensor);
    return;
  }
  if (v.producer < 0 || !nodes[at(v.producer)].is("Constant"))
    throw Error("value \"" + v.name + "\" is not a constant");
  nodes[at(v.producer)].set("value", std::move(tensor));
}

void Graph::reindex() {
  for (Value& v : values) {
    v.producer = v.initializer = -1;
    v.is_input = v.is_output = false;
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    materialise(nodes[i]);
    for (ValueId output : nodes[i].outputs)
      if (output != no_value) values[at(output)].producer = static_cast<std::int32_t>(i);
  }
  for (std::size_t i = 0; i < initializers.size(); ++i)
    values[at(initializers[i].value)].initializer = static_cast<std::int32_t>(i);
  for (ValueId input : inputs) values[at(input)].is_input = true;
  for (ValueId output : outputs) values[at(output)].is_output = true;
}

void Graph::sort() {
  std::vector<std::int32_t> waiting(nodes.size(), 0);
  reindex();
  std::vector<std::vector<std::int32_t>> readers(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for_each_read(*this, nodes[i], [&](ValueId id) {
      const std::int32_t producer = values[at(id)].producer;
      if (producer < 0) return;
      readers[at(producer)].push_back(static_cast<std::int32_t>(i));
      ++waiting[i];
    });
  }
  // The smallest ready index first keeps a file that is in order as it is.
  std::priority_queue<std::int32_t, std::vector<std::int32_t>, std::greater<>> ready;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    if (waiting[i] == 0) ready.push(static_cast<std::int32_t>(i));
  std::vector<std::int32_t> order;
  order.reserve(nodes.size());
  while (!ready.empty()) {
    const std::int32_t next = ready.top();
    ready.pop();
    order.push_back(next);
    for (std::int32_t reader : readers[at(next)])
      if (--waiting[at(reader)] == 0) ready.push(reader);
  }
  if (order.size() != nodes.size()) {
    const auto stuck = std::find_if(waiting.begin(), waiting.end(), [](std::int32_t w) { return w > 0; });
    throw Error("graph \"" + name + "\": " + describe(*this, nodes[static_cast<std::size_t>(stuck - waiting.begin())]) +
                " is part of a cycle or waits for one");
  }
  if (!std::is_sorted(order.begin(), order.end())) {
    std::vector<Node> sorted;
    sorted.reserve(nodes.size());
    for (std::int32_t i : order) sorted.push_back(std::move(nodes[at(i)]));
    nodes = std::move(sorted);
    reindex();
  }
}

void Graph::check() const {
  const auto fail = [&](const std::string& what) { throw Error("graph \"" + name + "\": " + what); };
  std::vector<std::uint8_t> defined(values.size(), 0);
  const auto define = [&](ValueId id) {
    if (id < 0 || at(id) >= values.size()) fail("value id " + std::to_string(id) + " is out of range");
    if (defined[at(id)]++) fail("value \"" + values[at(id)].name + "\" is defined twice");
  };
  for (const Initializer& initializer : initializers) define(initializer.value);
  for (ValueId input : inputs) {
    if (input < 0 || at(input) >= values.size()) fail("an input's value id is out of range");
    if (values[at(input)].initializer < 0) define(input);  // an initializer may be listed as an input's default
  }
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i].captured) define(static_cast<ValueId>(i));
  for (const Node& node : nodes) {
    for_each_read(*this, node, [&](ValueId id) {
      if (id < 0 || at(id) >= values.size()) fail(describe(*this, node) + ": an operand's value id is out of range");
      if (!defined[at(id)])
        fail(describe(*this, node) + ": operand \"" + values[at(id)].name + "\" is not defined before it");
    });
    for (ValueId output : node.outputs)
      if (output != no_value) define(output);
  }
  for (ValueId output : outputs) {
    if (output < 0 || at(output) >= values.size()) fail("an output's value id is out of range");
    if (!defined[at(output)]) fail("output \"" + values[at(output)].name + "\" is never computed");
  }
}

std::vector<std::vector<std::int32_t>> Graph::consumers() const {
  std::vector<std::vector<std::int32_t>> out(values.size());
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for_each_read(*this, nodes[i], [&](ValueId id) { out[at(id)].push_back(static_cast<std::int32_t>(i)); });
  return out;
}

std::vector<std::string> captured_names(const Node& node) {
  std::vector<std::string> out;
  std::unordered_set<std::string> seen;
  std::vector<const Graph*> scopes;
  if (has_subgraph(node)) collect_captures(node, out, seen, scopes);
  return out;
}

std::string describe(const Graph& graph, const Node& node) {
  std::string out = node.domain.empty() ? node.op : node.domain + "." + node.op;
  std::string_view shown = node.name;
  for (std::size_t i = 0; shown.empty() && i < node.outputs.size(); ++i) shown = graph.name_of(node.outputs[i]);
  return out + " \"" + std::string(shown) + "\"";
}

}  // namespace coppice::graph
