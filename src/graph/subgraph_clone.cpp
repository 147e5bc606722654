#include "graph/subgraph_clone.hpp"

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"

#include "graph/function_table.hpp"

namespace coppice::graph {

void Names::reserve(const Graph& graph) {
  for (const Value& value : graph.values) used_.insert(value.name);
  for (const Node& node : graph.nodes) for_each_subgraph(node, [&](const Graph& inner) { reserve(inner); });
}

std::string Names::fresh(const std::string& stem) {
  if (used_.insert(stem).second) return stem;
  for (std::int64_t& counter = counters_[stem];;) {
    std::string candidate = stem + "_" + std::to_string(++counter);
    if (used_.insert(candidate).second) return candidate;
  }
}

const std::string* Scope::find(const std::string& name) const {
  for (const Scope* scope = this; scope; scope = scope->outer)
    if (const auto found = scope->renamed.find(name); found != scope->renamed.end()) return &found->second;
  return nullptr;
}

std::vector<Attribute> SubgraphCloner::attributes(const Node& node, const Scope& scope) {
  std::vector<Attribute> out;
  for (const Attribute& attribute : node.attributes)
    out.push_back({attribute.name, copy(attribute.value, scope), attribute.ref, attribute.extra});
  return out;
}

AttributeValue SubgraphCloner::copy(const AttributeValue& value, const Scope& scope) {
  if (const auto* one = std::get_if<GraphPtr>(&value)) return *one ? clone(**one, scope) : GraphPtr();
  if (const auto* many = std::get_if<std::vector<GraphPtr>>(&value)) {
    std::vector<GraphPtr> out;
    for (const GraphPtr& graph : *many) out.push_back(graph ? clone(*graph, scope) : GraphPtr());
    return out;
  }
  return value;
}

GraphPtr SubgraphCloner::clone(const Graph& source, const Scope& outer) {
  auto copied = std::make_shared<Graph>(source);
  Scope scope{&outer, {}};
  std::vector<ValueId> ids(source.values.size());
  copied->index.clear();
  for (std::size_t i = 0; i < source.values.size(); ++i) {
    Value& value = copied->values[i];
    const std::string* known = value.captured ? outer.find(source.values[i].name) : nullptr;
    if (!value.captured) {
      value.name = fresh(value.name);
      scope.renamed.emplace(source.values[i].name, value.name);
    } else if (known) {
      value.name = *known;
    }
    // Two names of the source may have become one (or none) outside.
    ids[i] = value.name.empty() ? no_value : copied->index.emplace(value.name, static_cast<ValueId>(i)).first->second;
    if (ids[i] != static_cast<ValueId>(i)) {
      value = {.name = fresh(source.values[i].name)};
      copied->index.emplace(value.name, static_cast<ValueId>(i));
    }
  }
  const auto move = [&](std::vector<ValueId>& list) {
    for (ValueId& id : list)
      if (id != no_value) id = ids[at(id)];
  };
  for (Node& node : copied->nodes) {
    count_node();
    move(node.inputs);
    move(node.outputs);
    node.attributes = attributes(node, scope);
  }
  move(copied->inputs);
  move(copied->outputs);
  for (ValueId output : copied->outputs)
    if (output == no_value) throw Error("graph \"" + source.name + "\": an absent input is given out");
  copied->reindex();
  return copied;
}

}  // namespace coppice::graph
