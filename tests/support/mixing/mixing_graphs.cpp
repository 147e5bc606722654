#include "support/mixing_graphs.hpp"

namespace coppice::test {

std::vector<MixingGraph> mixing_graphs() {
  std::vector<MixingGraph> all;
  for (const auto& list :
       {mixing_sums(), mixing_extremes(), mixing_contractions(), mixing_statistics(), mixing_states()})
    all.insert(all.end(), list.begin(), list.end());
  return all;
}

RandomGraph build(const MixingGraph& mixing, std::uint64_t seed) {
  Maker maker(seed, mixing.opset);
  mixing.build(maker);
  RandomGraph graph;
  graph.blocks.emplace_back(mixing.name);
  graph.quantised = mixing.quantised;
  graph.feeding = maker.feeding;
  graph.model = std::move(maker.builder).finish();
  return graph;
}

}  // namespace coppice::test
