#include <algorithm>
#include <optional>
#include <unordered_set>

#include "coppice/base/at.hpp"
#include "coppice/base/error.hpp"
#include "coppice/graph/passes.hpp"

#include "graph/function_table.hpp"
#include "graph/subgraph_clone.hpp"

namespace coppice::graph {
namespace {

// A file of a few lines can describe functions that double themselves forty times.
constexpr std::int64_t base_nodes = 200'000, nodes_per_node = 64;
constexpr int max_depth = 32;

/// One call that is being replaced.
struct Call {
  const Node& node;
  const Function& function;

  /// The attribute that a reference stands for; null when neither the call nor the function gives one.
  const Attribute* resolve(const std::string& reference) const {
    if (const Attribute* given = node.find(reference)) return given;
    for (const Attribute& fallback : function.attribute_defaults)
      if (fallback.name == reference) return &fallback;
    return nullptr;
  }
};

void spend_node(std::int64_t& left) {
  if (--left < 0) throw Error("the model's functions expand to unreasonably many nodes");
}

/// Copies the subgraphs of a function's body into the place of a call.
class BodyCloner : public SubgraphCloner {
 public:
  BodyCloner(Names& names, const Call& call, std::int64_t& left)
      : SubgraphCloner(names, (call.node.name.empty() ? call.function.name : call.node.name) + "/"),
        call_(call),
        left_(left) {}

  std::vector<Attribute> attributes(const Node& node, const Scope& scope) override {
    std::vector<Attribute> out;
    for (const Attribute& attribute : node.attributes) {
      if (attribute.ref.empty()) {
        out.push_back({attribute.name, copy(attribute.value, scope), {}, attribute.extra});
      } else if (const Attribute* given = call_.resolve(attribute.ref)) {
        // What the call gives lives in the caller's scope: nothing in it is renamed by this one.
        out.push_back({attribute.name, copy(given->value, Scope{}), given->ref, given->extra});
      }
    }
    return out;
  }

 protected:
  void count_node() override { spend_node(left_); }

 private:
  const Call& call_;
  std::int64_t& left_;
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

  std::vector<Node> instantiate(Graph& graph, const Node& node, const Function& function);

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
  const Call call{node, function};
  BodyCloner cloner(names_, call, left_);
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
    spend_node(left_);
    copies.push_back(
        {.op = "Identity", .name = cloner.prefix() + "Identity", .inputs = {*id}, .outputs = {node.outputs[i]}});
  }
  Scope scope;
  for (std::size_t i = 0; i < body.values.size(); ++i) {
    const std::string& name = body.values[i].name;
    if (!ids[i]) ids[i] = graph.value(cloner.fresh(name));
    scope.renamed.emplace(name, std::string(graph.name_of(*ids[i])));
  }
  const auto moved = [&](const std::vector<ValueId>& list) {
    std::vector<ValueId> out;
    for (ValueId id : list) out.push_back(id == no_value ? no_value : *ids[at(id)]);
    return out;
  };
  std::vector<Node> out;
  for (const Node& inner : body.nodes) {
    spend_node(left_);
    out.push_back({.op = inner.op,
                   .domain = inner.domain,
                   .name = inner.name.empty() ? std::string() : cloner.prefix() + inner.name,
                   .inputs = moved(inner.inputs),
                   .outputs = moved(inner.outputs),
                   .attributes = cloner.attributes(inner, scope),
                   .overload = inner.overload,
                   .extra = inner.extra});
  }
  out.insert(out.end(), std::make_move_iterator(copies.begin()), std::make_move_iterator(copies.end()));
  return out;
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
