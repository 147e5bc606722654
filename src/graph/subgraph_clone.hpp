#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "coppice/graph/graph.hpp"

/// Copying what stands in one scope of a model into another, with names that are new in the whole model.
namespace coppice::graph {

/// Names that are new in the whole model: with subgraphs around, uniqueness in one graph is not enough.
class Names {
 public:
  /// Takes every name of a graph and of its subgraphs.
  void reserve(const Graph& graph);
  /// `stem`, or `stem` with a number behind it.
  std::string fresh(const std::string& stem);

 private:
  std::unordered_set<std::string> used_;
  std::unordered_map<std::string, std::int64_t> counters_;
};

/// What the names of a scope, and of the subgraphs in it, became. An empty new name: an absent operand.
struct Scope {
  const Scope* outer = nullptr;
  std::unordered_map<std::string, std::string> renamed;

  const std::string* find(const std::string& name) const;
};

/// Copies subgraphs: captured names become what the scope says, all others get new ones.
class SubgraphCloner {
 public:
  /// `prefix` stands in front of every new name.
  SubgraphCloner(Names& names, std::string prefix) : names_(names), prefix_(std::move(prefix)) {}
  SubgraphCloner(const SubgraphCloner&) = delete;
  SubgraphCloner& operator=(const SubgraphCloner&) = delete;
  virtual ~SubgraphCloner() = default;

  const std::string& prefix() const { return prefix_; }
  std::string fresh(const std::string& name) { return names_.fresh(prefix_ + name); }
  /// The attributes of a copied node, with the subgraphs in them.
  virtual std::vector<Attribute> attributes(const Node& node, const Scope& scope);
  AttributeValue copy(const AttributeValue& value, const Scope& scope);
  /// Throws Error when an output of the copy would be an absent operand.
  GraphPtr clone(const Graph& source, const Scope& outer);

 protected:
  /// Called for each node that is copied; may throw.
  virtual void count_node() {}

 private:
  Names& names_;
  std::string prefix_;
};

}  // namespace coppice::graph
