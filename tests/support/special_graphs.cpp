#include "support/special_graphs.hpp"

namespace coppice::test {

std::vector<SpecialGraph> special_graphs() {
  std::vector<SpecialGraph> all;
  for (const auto& list :
       {special_images(), special_sequences(), special_attention(), special_control_flow(), special_quantised()})
    all.insert(all.end(), list.begin(), list.end());
  return all;
}

RandomGraph build(const SpecialGraph& special, std::uint64_t seed) {
  Maker maker(seed, special.opset);
  special.build(maker);
  RandomGraph graph;
  graph.blocks.emplace_back(special.name);
  graph.quantised = special.quantised;
  graph.feeding = maker.feeding;
  graph.model = std::move(maker.builder).finish();
  for (const graph::Node& node : graph.model.graph.nodes)
    if (!node.domain.empty() && graph.model.opset(node.domain) == 0) graph.model.opsets.push_back({node.domain, 1});
  return graph;
}

}  // namespace coppice::test
