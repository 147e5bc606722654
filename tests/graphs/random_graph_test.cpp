#include "support/random_graph.hpp"

#include <set>

#include <gtest/gtest.h>

#include "coppice/formats/onnx.hpp"
#include "coppice/graph/infer.hpp"

#include "support/scratch.hpp"
#include "support/special_graphs.hpp"

namespace coppice::test {
namespace {

// Runs in ONNX Runtime, finite and alive.
void expect_runs(const RandomGraph& graph, const std::string& file, const std::string& what) {
  formats::write_onnx(graph.model, file);
  RefereeOptions feeding = graph.feeding;
  feeding.optimise = false;
  const RunReport run = Referee::shared().run({file}, feeding).at(0);
  ASSERT_TRUE(run.ok) << what << ": " << graph.story() << ": " << run.error;
  for (const OutputReport& output : run.outputs) {
    EXPECT_TRUE(output.finite) << what << ": " << graph.story();
    EXPECT_GT(output.max_abs, 0.01) << what << ": " << graph.story();
    EXPECT_LT(output.max_abs, 1000) << what << ": " << graph.story();
  }
}

TEST(RandomGraph, EveryBlockRuns) {
  COPPICE_NEEDS_REFEREE();
  const Scratch scratch;
  for (const NamedBlock& block : all_blocks())
    for (std::uint64_t seed = 1; seed <= 3; ++seed)
      expect_runs(block_graph(block, seed), scratch / "block.onnx", "seed " + std::to_string(seed));
}

TEST(RandomGraph, SeedsRun) {
  COPPICE_NEEDS_REFEREE();
  const Scratch scratch;
  for (std::uint64_t seed = 1; seed <= 60; ++seed)
    expect_runs(random_graph(seed), scratch / "random.onnx", "seed " + std::to_string(seed));
}

TEST(SpecialGraphs, Run) {
  COPPICE_NEEDS_REFEREE();
  const Scratch scratch;
  for (const SpecialGraph& special : special_graphs())
    expect_runs(build(special), scratch / "special.onnx", std::string(special.name));
}

// Shape inference against the runtime: no value stays unknown, and the outputs have the extents of a real run.
void expect_inferred(const RandomGraph& graph, const std::string& file, const std::string& what) {
  const graph::Graph& g = graph.model.graph;
  graph::World world;
  for (const auto& [name, shape] : graph.feeding.shapes) world.inputs.emplace_back(name, shape);
  const graph::Facts facts = graph::infer(graph.model, g, world);
  for (const graph::Node& node : g.nodes)
    for (graph::ValueId id : node.outputs)
      EXPECT_TRUE(id == graph::no_value || facts[static_cast<std::size_t>(id)].complete())
          << what << ": " << graph::describe(g, node);
  formats::write_onnx(graph.model, file);
  RefereeOptions feeding = graph.feeding;
  feeding.optimise = false;
  const RunReport run = Referee::shared().run({file}, feeding).at(0);
  ASSERT_TRUE(run.ok) << run.error;
  for (graph::ValueId id : g.outputs) {
    const OutputReport* output = run.find(std::string(g.name_of(id)));
    ASSERT_NE(output, nullptr);
    EXPECT_EQ(facts[static_cast<std::size_t>(id)].shape, output->shape) << what;
  }
}

TEST(RandomGraph, ShapesAreThoseOfARun) {
  COPPICE_NEEDS_REFEREE();
  const Scratch scratch;
  // Not those with If and Loop: inference takes over where these were resolved.
  for (const auto& list : {special_images(), special_sequences(), special_attention(), special_quantised()})
    for (const SpecialGraph& special : list)
      expect_inferred(build(special), scratch / "graph.onnx", std::string(special.name));
  for (const NamedBlock& block : all_blocks())
    expect_inferred(block_graph(block, 5), scratch / "graph.onnx", std::string(block.block->name));
}

TEST(RandomGraph, SameSeedSameModel) {
  EXPECT_EQ(formats::write_onnx_bytes(random_graph(7).model), formats::write_onnx_bytes(random_graph(7).model));
  EXPECT_NE(formats::write_onnx_bytes(random_graph(7).model), formats::write_onnx_bytes(random_graph(8).model));
}

TEST(RandomGraph, SeedsReachEveryBlock) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 1; seed <= 400; ++seed)
    for (const std::string& block : random_graph(seed).blocks) seen.insert(block);
  for (const NamedBlock& block : all_blocks())
    EXPECT_TRUE(seen.contains(std::string(block.block->name))) << block.block->name;
}

}  // namespace
}  // namespace coppice::test
