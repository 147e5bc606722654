#include "pruning/lock_summary.hpp"

#include <algorithm>
#include <array>

namespace coppice::pruning {
namespace {

std::string without_units(const graph::Graph& graph) {
  for (const graph::Node& node : graph.nodes)
    if (node.is("If") || node.is("Loop") || node.is("Scan"))
      return "the weights lie in data-dependent control flow, " + graph::describe(graph, node);
  return "no constant has an axis that reaches an activation";
}

/// Often the cause of all that is locked.
std::string contradictions(const Prepared& prepared) {
  const std::vector<std::string>& problems = prepared.problems;
  if (problems.empty()) return {};
  return "; " + problems.front() +
         (problems.size() == 1 ? "" : ", and " + std::to_string(problems.size() - 1) + " more");
}

}  // namespace

std::string lock_summary(const Prepared& prepared) {
  std::array<std::int64_t, coupling::reason_count> counts{};
  std::int64_t locked = 0, open = 0;
  for (const coupling::Unit& unit : prepared.couplings.units()) {
    if (!unit.locked) {
      ++open;
      continue;
    }
    ++locked;
    ++counts[static_cast<std::size_t>(unit.reason)];
  }
  std::array<std::size_t, coupling::reason_count> order{};
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
  if (locked + open == 0) return without_units(prepared.model.graph) + contradictions(prepared);
  std::string out = std::to_string(locked) + " units stay";
  for (std::size_t i = 0; i < 3 && counts[order[i]] > 0; ++i)
    out += std::string(i == 0 ? " (" : ", ") + std::to_string(counts[order[i]]) + ": " +
           std::string(explain(static_cast<coupling::Reason>(order[i])));
  if (locked > 0) out += ")";
  if (open > 0) out += ", " + std::to_string(open) + " are alone in their groups";
  return out + contradictions(prepared);
}

}  // namespace coppice::pruning
