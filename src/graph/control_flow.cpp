#include "coppice/graph/control_flow.hpp"

#include <algorithm>

#include "graph/control_flow_course.hpp"
#include "graph/control_flow_lists.hpp"
#include "graph/control_flow_region.hpp"

namespace coppice::graph {
namespace {

constexpr std::int64_t max_iterations = 256, max_added_nodes = 20'000;
// Within a round, one node's result decides the next; another round only helps when the worlds get better by it.
constexpr int max_rounds = 8;

bool has_control_flow(const Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const Node& node) {
    return is_control_flow(node) || (is_list_op(node) && !node.is("SequenceEmpty"));
  });
}

class Resolver {
 public:
  explicit Resolver(Model& model) : model_(model) { names_.reserve(model.graph); }

  /// One walk over the graph; whether anything was resolved.
  bool walk(const Worlds& worlds) {
    Graph& graph = model_.graph;
    Witnesses witnesses(model_, worlds);
    // The graph's own nodes stay where they are until the end: inference looks for constants in them.
    Replaced replaced;
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      if (!is_control_flow(graph.nodes[i])) {
        witnesses.learn(graph.nodes[i]);
        continue;
      }
      const std::size_t before = regions_.size();
      std::vector<Node> nodes = expand(graph.nodes[i], witnesses);
      if (regions_.size() != before) replaced.emplace_back(i, std::move(nodes));
    }
    const bool any = !replaced.empty();
    if (any) replace(std::move(replaced));
    return resolve_lists(model_, names_, witnesses, regions_, left_) || any;
  }

  std::vector<ResolvedRegion> take() { return std::move(regions_); }

 private:
  using Replaced = std::vector<std::pair<std::size_t, std::vector<Node>>>;

  void replace(Replaced replaced) {
    Graph& graph = model_.graph;
    std::vector<Node> nodes;
    auto next = replaced.begin();
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
      if (next == replaced.end() || next->first != i) {
        nodes.push_back(std::move(graph.nodes[i]));
        continue;
      }
      nodes.insert(nodes.end(), std::make_move_iterator(next->second.begin()),
                   std::make_move_iterator(next->second.end()));
      ++next;
    }
    graph.nodes = std::move(nodes);
    graph.sort();
  }

  // What stands for one node, in which more may be found to resolve.
  std::vector<Node> expand(const Node& start, Witnesses& witnesses) {
    std::vector<Node> done, waiting{start};
    while (!waiting.empty()) {
      Node node = std::move(waiting.back());
      waiting.pop_back();
      auto region = is_control_flow(node) ? resolve(node, witnesses) : std::nullopt;
      if (!region) {
        witnesses.learn(node);
        done.push_back(std::move(node));
        continue;
      }
      for (const Initializer& initializer : region->initializers)
        witnesses.learn_constant(initializer.value, initializer.tensor);
      waiting.insert(waiting.end(), region->nodes.rbegin(), region->nodes.rend());
      regions_.push_back(std::move(*region));
    }
    return done;
  }

  std::optional<ResolvedRegion> resolve(const Node& node, const Witnesses& witnesses) {
    const auto course = course_of(model_.graph, node, witnesses);
    if (!course) return std::nullopt;
    // A branch is moved, not multiplied.
    std::int64_t added = 0;
    if (node.is("Loop")) {
      if (course->times > max_iterations) return std::nullopt;
      added = course->times * weight_of(*course->body);
      if (added > left_) return std::nullopt;
    }
    auto region = resolve_node(model_, names_, node, *course);
    if (region) left_ -= added;
    return region;
  }

  Model& model_;
  Names names_;
  std::int64_t left_ = max_added_nodes;
  std::vector<ResolvedRegion> regions_;
};

template <class Choose>
std::vector<ResolvedRegion> resolve_all(Model& model, Choose worlds) {
  if (!has_control_flow(model.graph)) return {};
  model.graph.sort();
  Resolver resolver(model);
  for (int round = 0; round < max_rounds && has_control_flow(model.graph); ++round)
    if (!resolver.walk(worlds())) break;
  return resolver.take();
}

}  // namespace

std::vector<ResolvedRegion> resolve_control_flow(Model& model,
                                                 const std::vector<std::pair<std::string, Shape>>& given) {
  return resolve_all(model, [&] { return choose_worlds(model, given); });
}

std::vector<ResolvedRegion> resolve_control_flow_in(const Worlds& worlds, Model& model) {
  return resolve_all(model, [&] { return worlds; });
}

}  // namespace coppice::graph
