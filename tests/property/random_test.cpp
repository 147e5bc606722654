#include <gtest/gtest.h>

#include "support/proof.hpp"
#include "support/random_graph.hpp"
#include "support/special_graphs.hpp"

// Twin equals hard: for every graph, the pruned model's outputs are those of the original with the removed slices
// zeroed and reductions masked.
namespace coppice::test {
namespace {

struct Tally {
  int proven = 0, exact = 0, nothing = 0, moved = 0;
};

void expect_proven(const RandomGraph& graph, double ratio, std::uint64_t seed, const std::string& what, Tally& tally) {
  const Scratch scratch;
  ProofOptions options;
  options.feeding = graph.feeding;
  options.feeding.optimise = false;  // the nodes as they stand; fusions have bugs of their own
  options.quantised = graph.quantised;
  options.ratio = ratio;
  options.seed = seed;
  if (seed % 3 == 0) options.prepare.coupling.attention = coupling::Attention::head_dim;
  if (seed % 4 == 0) options.prepare.coupling.whole_groups = true;
  const Proof proof = prove(graph.model, options, scratch);
  EXPECT_EQ(proof.failure, "") << what << ": " << graph.story();
  tally.nothing += proof.nothing_to_prune;
  if (proof.nothing_to_prune || !proof.failure.empty()) return;
  EXPECT_LT(proof.parameters_after, proof.parameters_before) << what << ": " << graph.story();
  ++tally.proven;
  tally.exact += proof.exact;
  tally.moved += proof.moved > 1e-3;
}

class RandomSeeds : public testing::TestWithParam<int> {};

TEST_P(RandomSeeds, TwinEqualsPruned) {
  COPPICE_NEEDS_REFEREE();
  constexpr int per_part = 50;
  Tally tally;
  for (int i = 1; i <= per_part; ++i) {
    const std::uint64_t seed = static_cast<std::uint64_t>(GetParam() * per_part + i);
    expect_proven(random_graph(seed), seed % 2 ? 0.5 : 0.8, seed, "seed " + std::to_string(seed), tally);
  }
  // Most graphs can be pruned, and cutting half of one is felt.
  EXPECT_GE(tally.proven, per_part * 9 / 10);
  EXPECT_GE(tally.moved, tally.proven * 9 / 10);
}
INSTANTIATE_TEST_SUITE_P(Parts, RandomSeeds, testing::Range(0, 8));

TEST(EveryBlock, TwinEqualsPruned) {
  COPPICE_NEEDS_REFEREE();
  Tally tally;
  for (const NamedBlock& block : all_blocks())
    for (std::uint64_t seed = 1; seed <= 4; ++seed)
      expect_proven(block_graph(block, seed), seed % 2 ? 0.5 : 0.3, seed, "seed " + std::to_string(seed), tally);
  EXPECT_GE(tally.proven, static_cast<int>(all_blocks().size()) * 4 * 9 / 10);
}

class Special : public testing::TestWithParam<SpecialGraph> {};

TEST_P(Special, TwinEqualsPruned) {
  COPPICE_NEEDS_REFEREE();
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    Tally tally;
    expect_proven(build(GetParam(), seed), 0.5, seed, "seed " + std::to_string(seed), tally);
    EXPECT_EQ(tally.proven, 1);
    EXPECT_EQ(tally.moved, 1);
  }
}
INSTANTIATE_TEST_SUITE_P(Graphs, Special, testing::ValuesIn(special_graphs()),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace coppice::test
