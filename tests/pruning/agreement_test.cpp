// Selecting, counting and planning must agree with what the cut makes, whatever the graph.
#include <gtest/gtest.h>

#include "coppice/pruning/cut.hpp"
#include "coppice/pruning/plan.hpp"
#include "coppice/pruning/select.hpp"
#include "coppice/zoo/zoo.hpp"

#include "support/random_graph.hpp"
#include "support/special_graphs.hpp"

namespace coppice::pruning {
namespace {

// Whether there was something to cut.
bool expect_agreement(Prepared prepared, const SelectOptions& options) {
  Selection selection;
  try {
    selection = select(prepared, options);
  } catch (const Error&) {
    return false;  // nothing to prune
  }
  for (std::size_t u = 0; u < selection.removed.size(); ++u)
    EXPECT_FALSE(prepared.couplings.units()[u].locked && selection.removed[u]) << u;
  for (std::size_t v = 0; v < prepared.model.graph.values.size(); ++v)
    for (const coupling::Axis& axis : prepared.couplings.axes(static_cast<graph::ValueId>(v)))
      EXPECT_TRUE(axis.length == 0 || prepared.couplings.kept_count(axis, selection.removed) > 0);

  const Plan plan = parse_plan(to_json(make_plan(prepared, selection.removed, {})));
  EXPECT_EQ(removed_units(prepared, plan), selection.removed);

  graph::Model small;
  try {
    small = cut(prepared, selection.removed);
  } catch (const StructureError&) {
    return false;
  }
  const Prepared after = prepare(std::move(small));
  const Count expected = count(prepared, selection.removed), found = count(after);
  EXPECT_EQ(expected.parameters, found.parameters);
  EXPECT_EQ(expected.macs, found.macs);
  EXPECT_EQ(selection.step_parameters.back(), expected.parameters);
  return true;
}

const std::vector<SelectOptions>& variants() {
  using importance::Criterion;
  static const std::vector<SelectOptions> list{
      {.ratio = 0.5},
      {.ratio = 0.6, .context = Context::global, .criterion = Criterion::l2, .steps = 3},
      {.ratio = 0.4, .context = Context::isomorphic, .criterion = Criterion::fpgm, .round_to = 2},
      {.ratio = 0.9, .criterion = Criterion::bn_scale, .reduction = importance::Reduction::max, .min_units = 2},
      {.context = Context::global, .criterion = Criterion::random, .target_parameters = 0.6, .seed = 3},
  };
  return list;
}

TEST(Agreement, OnTheZoo) {
  for (const char* name : {"mobilenet_v2", "densenet121", "shufflenet_v2_x1_0", "resnext50_32x4d", "gpt2_tiny",
                           "llama_tiny", "lstm_tagger", "unet_gn"}) {
    SCOPED_TRACE(name);
    const auto model = zoo::build(name, 1, {.image_side = 64, .lively = true});
    for (const SelectOptions& options : {variants()[0], variants()[1]})
      EXPECT_TRUE(expect_agreement(prepare(model), options));
  }
}

TEST(Agreement, OnSpecialGraphs) {
  int done = 0;
  for (const test::SpecialGraph& special : test::special_graphs()) {
    SCOPED_TRACE(std::string(special.name));
    const auto model = test::build(special).model;
    for (const SelectOptions& options : variants()) done += expect_agreement(prepare(model), options) ? 1 : 0;
  }
  EXPECT_GE(done, 90);
}

TEST(Agreement, OnRandomGraphs) {
  int done = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const test::RandomGraph graph = test::random_graph(seed);
    SCOPED_TRACE(std::to_string(seed) + ": " + graph.story());
    done += expect_agreement(prepare(graph.model), variants()[seed % variants().size()]) ? 1 : 0;
  }
  EXPECT_GT(done, 50);
}

}  // namespace
}  // namespace coppice::pruning
