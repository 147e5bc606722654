#include <set>
#include <variant>

#include "coppice/sparsity/sites.hpp"

namespace coppice::sparsity {
namespace {

using graph::Graph;

/// A graph and those around it, the innermost last.
using Scopes = std::vector<const Graph*>;

const tensor::Tensor* constant(const Scopes& scopes, std::string_view name) {
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope) {
    const graph::ValueId value = (*scope)->find(name);
    if (value == graph::no_value || (*scope)->values[static_cast<std::size_t>(value)].captured) continue;
    return (*scope)->constant(value);
  }
  return nullptr;
}

/// The graph with the constants that it takes from around it; their bytes are shared.
Graph with_captured(const Graph& inner, const Scopes& around) {
  Graph out = inner;
  for (graph::Value& value : out.values) {
    if (!value.captured) continue;
    const tensor::Tensor* tensor = constant(around, value.name);
    if (!tensor) continue;
    value.captured = false;
    out.initializers.push_back({out.find(value.name), *tensor, false, {}});
  }
  out.reindex();
  return out;
}

class Search {
 public:
  explicit Search(const Graph& graph) {
    for (const Site& site : find_sites(graph)) seen_.insert(site.name);
    scopes_.push_back(&graph);
    look_inside(graph);
  }

  std::vector<Site> found;

 private:
  void look_inside(const Graph& graph) {
    for (const graph::Node& node : graph.nodes)
      for (const graph::Attribute& attribute : node.attributes) {
        if (const auto* one = std::get_if<graph::GraphPtr>(&attribute.value)) look_at(**one, node);
        if (const auto* many = std::get_if<std::vector<graph::GraphPtr>>(&attribute.value))
          for (const graph::GraphPtr& inner : *many) look_at(*inner, node);
      }
  }

  void look_at(const Graph& inner, const graph::Node& owner) {
    const Graph whole = with_captured(inner, scopes_);
    for (Site& site : find_sites(whole)) {
      if (!seen_.insert(site.name).second) continue;
      site.obstacle = "in a subgraph of " + owner.op;
      found.push_back(std::move(site));
    }
    scopes_.push_back(&inner);
    look_inside(inner);
    scopes_.pop_back();
  }

  Scopes scopes_;
  std::set<std::string> seen_;
};

}  // namespace

std::vector<Site> find_inner_sites(const Graph& graph) {
  return Search(graph).found;
}

}  // namespace coppice::sparsity
