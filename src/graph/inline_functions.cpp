#include <algorithm>
#include <optional>
#include <unordered_set>

#include "coppice/base/error.hpp"
#include "coppice/graph/passes.hpp"

#include "graph/function_table.hpp"

namespace coppice::graph {
namespace {

// A file of a few lines can describe functions that double themselves forty times.
constexpr std::int64_t base_nodes = 200'000, nodes_per_node = 64;
constexpr int max_depth = 32;

std::size_t at(ValueId id) {
  return static_cast<std::size_t>(id);
}

/// Names that are new in the whole model: with subgraphs around, uniqueness in one graph is not enough.
class Names {
 public:
  void reserve(const Graph& graph) {
    for (const Value& value : graph.values) used_.insert(value.name);
    for (const Node& node : graph.nodes) for_each_subgraph(node, [&](const Graph& inner) { reserve(inner); });
  }
  std::string fresh(const std::string& stem) {
    if (used_.insert(stem).second) return stem;
    for (std::int64_t& counter = counters_[stem];;) {
      std::string candidate = stem + "_" + std::to_string(++counter);
      if (used_.insert(candidate).second) return candidate;
    }
  }

 private:
  std::unordered_set<std::string> used_;
  std::unordered_map<std::string, std::int64_t> counters_;
};

/// What the names of a function body, and of the subgraphs in it, became. An empty new name: an absent operand.
struct Scope {
  const Scope* outer = nullptr;
  std::unordered_map<std::string, std::string> renamed;

  const std::string* find(const std::string& name) const {
    for (const Scope* scope = this; scope; scope = scope->outer)
      if (const auto found = scope->renamed.find(name); found != scope->renamed.end()) return &found->second;
    return nullptr;
  }
};

/// One call that is being replaced.
struct Call {
  const Node& node;
  const Function& function;
  std::string prefix;  ///< Of new names.

  /// The attribute that a reference stands for; null when neither the call nor the function gives one.
  const Attribute* resolve(const std::string& reference) const {
    if (const Attribute* given = node.find(reference)) return given;
    for (const Attribute& fallback : function.attribute_defaults)
      if (fallback.name == reference) return &fallback;
    return nullptr;
  }
};

class Inliner {
 public:
  explicit Inliner(const Model& model) : table_(model) {
    table_.check_acyclic();
    names_.reserve(model.graph);
    left_ = base_nodes;
    auto count = [&](const Node&) { left_ += nodes_per_node; };
    for_each_node(model.graph, count);
    for (const Function& function : model.functions) for_each_node(function.body, count);
  }

  /// The calls in a graph and its subgraphs are replaced.
  void expand(Graph& graph, int depth) {
    if (depth > max_depth)
      throw Error("graph \"" + graph.name + "\": functions nest subgraphs more than " + std::to_string(max_depth) +
                  " deep");
    std::vector<Node> done;
    // Nodes still to look at, the next one last. Bodies go back on the stack, for they may hold calls themselves.
    std::vector<Node> waiting(std::make_move_iterator(graph.nodes.rbegin()),
                              std::make_move_iterator(graph.nodes.rend()));
    while (!waiting.empty()) {
      Node node = std::move(waiting.back());
      waiting.pop_back();
      if (const Function* function = table_.callee(node)) {
        std::vector<Node> body = instantiate(graph, node, *function);
        waiting.insert(waiting.end(), std::make_move_iterator(body.rbegin()), std::make_move_iterator(body.rend()));
        continue;
      }
      expand_subgraphs(node, depth);
      done.push_back(std::move(node));
    }
    graph.nodes = std::move(done);
    graph.reindex();
  }

 private:
  void expand_subgraphs(Node& node, int depth) {
    const auto expanded = [&](const GraphPtr& graph) {
      auto copy = std::make_shared<Graph>(*graph);  // copies of the model share it
      expand(*copy, depth + 1);
      return copy;
    };
    for (Attribute& attribute : node.attributes) {
      if (auto* one = std::get_if<GraphPtr>(&attribute.value)) {
        if (*one) *one = expanded(*one);
      } else if (auto* many = std::get_if<std::vector<GraphPtr>>(&attribute.value)) {
        for (GraphPtr& graph : *many)
          if (graph) graph = expanded(graph);
      }
    }
  }

  void count_node() {
    if (--left_ < 0) throw Error("the model's functions expand to unreasonably many nodes");
  }

  std::vector<Node> instantiate(Graph& graph, const Node& node, const Function& function);
  std::vector<Attribute> attributes(const Node& node, const Call& call, const Scope& scope);
  AttributeValue cloned(const AttributeValue& value, const Call& call, const Scope& scope);
  GraphPtr clone(const Graph& source, const Call& call, const Scope& outer);

  FunctionTable table_;
  Names names_;
  std::int64_t left_;
};

std::vector<Node> Inliner::instantiate(Graph& graph, const Node& node, const Function& function) {
  const Graph& body = function.body;
  const auto fail = [&](const std::string& what) {
    throw Error(describe(graph, node) + " calls function \"" + full_name(function) + "\": " + what);
  };
  if (node.inputs.size() > body.inputs.size())
    fail("expected at most " + std::to_string(body.inputs.size()) + " inputs, found " +
         std::to_string(node.inputs.size()));
  if (node.outputs.size() > body.outputs.size())
    fail("expected at most " + std::to_string(body.outputs.size()) + " outputs, found " +
         std::to_string(node.outputs.size()));
  const Call call{node, function, (node.name.empty() ? function.name : node.name) + "/"};
  std::vector<std::optional<ValueId>> ids(body.values.size());
  for (std::size_t i = 0; i < body.inputs.size(); ++i) ids[at(body.inputs[i])] = node.input(i);
  std::vector<Node> copies;  // for outputs that are inputs, or given out twice
  for (std::size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == no_value) continue;
    auto& id = ids[at(body.outputs[i])];
    if (!id) {
      id = node.outputs[i];
      continue;
    }
    if (*id == no_value) fail("output \"" + function.outputs[i] + "\" is an input that is absent");
    count_node();
    copies.push_back(
        {.op = "Identity", .name = call.prefix + "Identity", .inputs = {*id}, .outputs = {node.outputs[i]}});
  }
  Scope scope;
  for (std::size_t i = 0; i < body.values.size(); ++i) {
    const std::string& name = body.values[i].name;
    if (!ids[i]) ids[i] = graph.value(names_.fresh(call.prefix + name));
    scope.renamed.emplace(name, std::string(graph.name_of(*ids[i])));
  }
  const auto moved = [&](const std::vector<ValueId>& list) {
    std::vector<ValueId> out;
    for (ValueId id : list) out.push_back(id == no_value ? no_value : *ids[at(id)]);
    return out;
  };
  std::vector<Node> out;
  for (const Node& inner : body.nodes) {
    count_node();
    out.push_back({.op = inner.op,
                   .domain = inner.domain,
                   .name = inner.name.empty() ? std::string() : call.prefix + inner.name,
                   .inputs = moved(inner.inputs),
                   .outputs = moved(inner.outputs),
                   .attributes = attributes(inner, call, scope),
                   .overload = inner.overload,
                   .extra = inner.extra});
  }
  out.insert(out.end(), std::make_move_iterator(copies.begin()), std::make_move_iterator(copies.end()));
  return out;
}

std::vector<Attribute> Inliner::attributes(const Node& node, const Call& call, const Scope& scope) {
  std::vector<Attribute> out;
  for (const Attribute& attribute : node.attributes) {
    if (attribute.ref.empty()) {
      out.push_back({attribute.name, cloned(attribute.value, call, scope), {}, attribute.extra});
    } else if (const Attribute* given = call.resolve(attribute.ref)) {
      // What the call gives lives in the caller's scope: nothing in it is renamed by this one.
      out.push_back({attribute.name, cloned(given->value, call, Scope{}), given->ref, given->extra});
    }
  }
  return out;
}

AttributeValue Inliner::cloned(const AttributeValue& value, const Call& call, const Scope& scope) {
  if (const auto* one = std::get_if<GraphPtr>(&value)) return *one ? clone(**one, call, scope) : GraphPtr();
  if (const auto* many = std::get_if<std::vector<GraphPtr>>(&value)) {
    std::vector<GraphPtr> out;
    for (const GraphPtr& graph : *many) out.push_back(graph ? clone(*graph, call, scope) : GraphPtr());
    return out;
  }
  return value;
}

GraphPtr Inliner::clone(const Graph& source, const Call& call, const Scope& outer) {
  auto copy = std::make_shared<Graph>(source);
  Scope scope{&outer, {}};
  std::vector<ValueId> ids(source.values.size());
  copy->index.clear();
  for (std::size_t i = 0; i < source.values.size(); ++i) {
    Value& value = copy->values[i];
    const std::string* known = value.captured ? outer.find(source.values[i].name) : nullptr;
    if (!value.captured) {
      value.name = names_.fresh(call.prefix + value.name);
      scope.renamed.emplace(source.values[i].name, value.name);
    } else if (known) {
      value.name = *known;
    }
    // Two names of the body may have become one (or none) outside.
    ids[i] = value.name.empty() ? no_value : copy->index.emplace(value.name, static_cast<ValueId>(i)).first->second;
    if (ids[i] != static_cast<ValueId>(i)) {
      value = {.name = names_.fresh(call.prefix + source.values[i].name)};
      copy->index.emplace(value.name, static_cast<ValueId>(i));
    }
  }
  const auto move = [&](std::vector<ValueId>& list) {
    for (ValueId& id : list)
      if (id != no_value) id = ids[at(id)];
  };
  for (Node& node : copy->nodes) {
    count_node();
    move(node.inputs);
    move(node.outputs);
    node.attributes = attributes(node, call, scope);
  }
  move(copy->inputs);
  move(copy->outputs);
  for (ValueId output : copy->outputs)
    if (output == no_value) throw Error("function \"" + full_name(call.function) + "\": an absent input is given out");
  copy->reindex();
  return copy;
}

/// Imports what the functions imported; their own domains are no longer needed.
void merge_opsets(Model& model, const std::vector<Function>& functions) {
  for (const Function& function : functions) {
    for (const OpsetImport& import : function.opsets) {
      const auto same = [&](const OpsetImport& other) { return other.domain == import.domain; };
      if (std::none_of(model.opsets.begin(), model.opsets.end(), same)) model.opsets.push_back(import);
    }
  }
  std::unordered_set<std::string> unused;
  for (const Function& function : functions)
    if (!function.domain.empty()) unused.insert(function.domain);
  auto keep = [&](const Node& node) { unused.erase(node.domain); };
  for_each_node(model.graph, keep);
  std::erase_if(model.opsets, [&](const OpsetImport& import) { return unused.contains(import.domain); });
}

}  // namespace

void inline_functions(Model& model) {
  if (model.functions.empty()) return;
  Inliner inliner(model);
  Graph graph = model.graph;
  inliner.expand(graph, 0);
  graph.check();
  model.graph = std::move(graph);
  const std::vector<Function> functions = std::move(model.functions);
  model.functions.clear();
  merge_opsets(model, functions);
}

}  // namespace coppice::graph
