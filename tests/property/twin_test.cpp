#include <gtest/gtest.h>

#include "coppice/formats/onnx.hpp"

#include "support/mixing_graphs.hpp"
#include "support/proof.hpp"

// The twin's masks, for every way of mixing removed indices with others; and that exactness means what it says.
namespace coppice::test {
namespace {

class Mixing : public testing::TestWithParam<MixingGraph> {};

TEST_P(Mixing, TwinEqualsPruned) {
  COPPICE_NEEDS_REFEREE();
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    const RandomGraph graph = build(GetParam(), seed);
    const Scratch scratch;
    ProofOptions options;
    options.feeding = graph.feeding;
    options.feeding.optimise = false;
    options.quantised = graph.quantised;
    options.prepare.coupling = GetParam().options;
    options.seed = seed;
    const Proof proof = prove(graph.model, options, scratch);
    EXPECT_EQ(proof.failure, "");
    EXPECT_FALSE(proof.nothing_to_prune);
    EXPECT_EQ(proof.exact, GetParam().leaks.empty());
    EXPECT_LT(proof.parameters_after, proof.parameters_before);
    EXPECT_GT(proof.moved, 1e-3);
  }
}

// The other side of exactness: where a leak is told, zeroing alone gives other outputs than the cut.
TEST_P(Mixing, LeaksAreFelt) {
  COPPICE_NEEDS_REFEREE();
  if (GetParam().leaks.empty()) return;
  const RandomGraph graph = build(GetParam());
  const pruning::Prepared prepared = pruning::prepare(graph.model, {.coupling = GetParam().options});
  std::vector<std::uint8_t> removed(prepared.couplings.units().size(), 0);
  for (const coupling::Group& group : prepared.couplings.groups())
    for (std::size_t i = 1; i < group.units.size(); i += 2) removed[static_cast<std::size_t>(group.units[i])] = 1;
  const Scratch scratch;
  formats::write_onnx(pruning::cut(prepared, removed), scratch / "pruned.onnx");
  formats::write_onnx(pruning::soften(prepared, removed), scratch / "soft.onnx");
  RefereeOptions feeding = graph.feeding;
  feeding.optimise = false;
  const Comparison comparison = Referee::shared().compare(scratch / "pruned.onnx", scratch / "soft.onnx", feeding);
  const bool differs = !comparison.ran || comparison.rel_err > 1e-3;  // no number at all differs, too
  EXPECT_EQ(differs, GetParam().felt == Felt::yes) << comparison.error << comparison.rel_err;
}

INSTANTIATE_TEST_SUITE_P(Graphs, Mixing, testing::ValuesIn(mixing_graphs()),
                         [](const auto& instance) { return std::string(instance.param.name); });

}  // namespace
}  // namespace coppice::test
