#include <algorithm>

#include "coppice/graph/infer.hpp"

namespace coppice::graph {

bool is_folded(const Node& node, const Facts& facts) {
  if (node.outputs.empty()) return false;
  return std::all_of(node.outputs.begin(), node.outputs.end(), [&](ValueId o) {
    if (o == no_value) return true;
    const Fact& fact = facts[static_cast<std::size_t>(o)];
    if (!fact.content) return false;
    return !fact.content->ints.empty() || (fact.complete() && fact.content->reals.size() <= 1);
  });
}

}  // namespace coppice::graph
