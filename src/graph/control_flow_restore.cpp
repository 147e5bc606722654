#include <algorithm>
#include <span>

#include "coppice/base/at.hpp"
#include "coppice/graph/control_flow.hpp"

#include "graph/same.hpp"

namespace coppice::graph {
namespace {

/// A graph in which nodes and initializers come and go; what is gone leaves a gap until sweep().
class Restorer {
 public:
  Restorer(Graph& graph, const std::function<bool(ValueId)>& same)
      : graph_(graph),
        is_same_(same),
        readers_(graph.values.size(), 0),
        node_gone_(graph.nodes.size(), 0),
        initializer_gone_(graph.initializers.size(), 0) {
    graph_.reindex();
    for (const Node& node : graph.nodes) count(node, 1);
  }

  /// Puts the nodes of a group of regions back; false, and no change, when something in it has changed.
  bool fold(std::span<const ResolvedRegion> group) {
    if (!std::all_of(group.begin(), group.end(), [&](const ResolvedRegion& region) { return is_unchanged(region); }))
      return false;
    if (!is_closed(group)) return false;
    for (const ResolvedRegion& region : group) put_back(region);
    return true;
  }

  /// Drops what was only there for a node that does not come back: its condition, the weights of other branches.
  void drop_needs(const Node& node) {
    std::vector<ValueId> waiting;
    for_each_read(node, [&](ValueId id) { waiting.push_back(id); });
    while (!waiting.empty()) {
      const Value& value = graph_.values[at(waiting.back())];
      const ValueId id = waiting.back();
      waiting.pop_back();
      if (!is_idle(id) || value.is_input) continue;
      if (value.initializer >= 0) initializer_gone_[at(value.initializer)] = 1;
      if (value.producer < 0 || node_gone_[at(value.producer)]) continue;
      const auto index = at(value.producer);
      const Node& source = graph_.nodes[index];
      if (!std::all_of(source.outputs.begin(), source.outputs.end(), [&](ValueId o) { return is_idle(o); })) continue;
      node_gone_[index] = 1;
      count(source, -1);
      for_each_read(source, [&](ValueId read) { waiting.push_back(read); });
    }
  }

  void sweep() {
    std::size_t next = 0;
    std::erase_if(graph_.nodes, [&](const Node&) { return node_gone_[next++] != 0; });
    next = 0;
    std::erase_if(graph_.initializers, [&](const Initializer&) { return initializer_gone_[next++] != 0; });
    graph_.sort();
  }

 private:
  void put_back(const ResolvedRegion& region) {
    std::size_t place = 0;
    for (const Node& node : region.nodes) {
      const std::size_t index = at(producer(node));
      count(graph_.nodes[index], -1);
      node_gone_[index] = 1;
      for (ValueId output : node.outputs)
        if (output != no_value) graph_.values[at(output)].producer = -1;
      place = std::max(place, index);
    }
    for (const Initializer& initializer : region.initializers) {
      Value& value = graph_.values[at(initializer.value)];
      initializer_gone_[at(value.initializer)] = 1;
      value.initializer = -1;
    }
    graph_.nodes[place] = region.node;
    node_gone_[place] = 0;
    for (ValueId output : region.node.outputs)
      if (output != no_value) graph_.values[at(output)].producer = static_cast<std::int32_t>(place);
    count(region.node, 1);
  }

  template <class Visit>
  void for_each_read(const Node& node, Visit visit) const {
    for (ValueId id : node.inputs)
      if (id != no_value) visit(id);
    for (const std::string& name : captured_names(node))
      if (const ValueId id = graph_.find(name); id != no_value) visit(id);
  }

  void count(const Node& node, std::int32_t by) {
    for_each_read(node, [&](ValueId id) { readers_[at(id)] += by; });
  }

  bool is_idle(ValueId id) const {
    return id == no_value || (readers_[at(id)] == 0 && !graph_.values[at(id)].is_output);
  }
  bool is_same(ValueId id) const { return id == no_value || !is_same_ || is_same_(id); }
  bool is_defined(ValueId id) const {
    const Value& value = graph_.values[at(id)];
    return value.producer >= 0 || value.initializer >= 0 || value.is_input;
  }

  // Index of the node that stands where this one of a region was put in; -1 when there is none.
  std::int32_t producer(const Node& node) const {
    for (ValueId output : node.outputs)
      if (output != no_value) return graph_.values[at(output)].producer;
    return -1;
  }

  bool is_unchanged(const ResolvedRegion& region) const {
    for (const Node& node : region.nodes) {
      const std::int32_t index = producer(node);
      if (index < 0 || !same(graph_.nodes[at(index)], node)) return false;
    }
    for (const Initializer& initializer : region.initializers) {
      const Value& value = graph_.values[at(initializer.value)];
      if (value.initializer < 0 || !same(graph_.initializers[at(value.initializer)].tensor, initializer.tensor))
        return false;
    }
    bool same_facts = true, defined = true;
    const auto look = [&](ValueId id) { same_facts = same_facts && is_same(id); };
    for (const Node& node : region.nodes) {
      for_each_read(node, look);
      for (ValueId output : node.outputs) look(output);
    }
    for_each_read(region.node, [&](ValueId id) {
      look(id);
      defined = defined && is_defined(id);
    });
    return same_facts && defined;
  }

  // Nobody else reads what is inside.
  bool is_closed(std::span<const ResolvedRegion> group) const {
    std::vector<ValueId> reads, given;
    for (const ResolvedRegion& region : group) {
      given.insert(given.end(), region.node.outputs.begin(), region.node.outputs.end());
      for (const Node& node : region.nodes) for_each_read(node, [&](ValueId id) { reads.push_back(id); });
    }
    std::sort(reads.begin(), reads.end());
    std::sort(given.begin(), given.end());
    const auto is_inside = [&](ValueId id) {
      if (id == no_value || std::binary_search(given.begin(), given.end(), id)) return true;
      const auto [first, last] = std::equal_range(reads.begin(), reads.end(), id);
      return !graph_.values[at(id)].is_output && readers_[at(id)] == last - first;
    };
    for (const ResolvedRegion& region : group) {
      for (const Node& node : region.nodes)
        if (!std::all_of(node.outputs.begin(), node.outputs.end(), is_inside)) return false;
      for (const Initializer& initializer : region.initializers)
        if (!is_inside(initializer.value)) return false;
    }
    return true;
  }

  Graph& graph_;
  const std::function<bool(ValueId)>& is_same_;
  std::vector<std::int32_t> readers_;
  std::vector<std::uint8_t> node_gone_, initializer_gone_;
};

}  // namespace

void restore_control_flow(Graph& graph, const std::vector<ResolvedRegion>& regions,
                          const std::function<bool(ValueId)>& same) {
  if (regions.empty()) return;
  Restorer restorer(graph, same);
  std::vector<const ResolvedRegion*> stay;
  // Inside out: what was resolved last stands inside what was resolved before.
  for (std::size_t end = regions.size(); end > 0;) {
    std::size_t begin = end - 1;
    while (regions[begin].group >= 0 && begin > 0 && regions[begin - 1].group == regions[begin].group) --begin;
    const auto group = std::span(regions).subspan(begin, end - begin);
    if (!restorer.fold(group))
      for (const ResolvedRegion& region : group) stay.push_back(&region);
    end = begin;
  }
  for (const ResolvedRegion* region : stay) restorer.drop_needs(region->node);
  restorer.sweep();
}

}  // namespace coppice::graph
