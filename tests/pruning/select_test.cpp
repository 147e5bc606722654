#include "coppice/pruning/select.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"
#include "coppice/zoo/zoo.hpp"

#include "pruning/prepared.hpp"

namespace coppice::pruning {
namespace {

using graph::attr;
using graph::DType;
using Ints = std::vector<std::int64_t>;

std::string error_of(Prepared prepared, const SelectOptions& options) {
  try {
    select(prepared, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// -- reference numbers on ResNet-18

std::int64_t width(const Prepared& prepared, std::string_view weight, const Selection& selection) {
  return static_cast<std::int64_t>(kept(prepared, weight, 0, selection.removed).size());
}

TEST(SelectResNet18, Local) {
  Prepared prepared = prepare(zoo::build("resnet18"));
  Selection selection = select(prepared, {.ratio = 0.3});
  EXPECT_EQ(selection.step_parameters, Ints{5820556});
  EXPECT_EQ(width(prepared, "conv1.weight", selection), 44);
  selection = select(prepared, {.ratio = 0.5});
  EXPECT_EQ(selection.step_parameters, Ints{3055880});
  EXPECT_EQ(width(prepared, "layer1.0.conv1.weight", selection), 32);
  EXPECT_EQ(width(prepared, "layer2.0.conv1.weight", selection), 64);
  EXPECT_EQ(width(prepared, "layer3.0.conv1.weight", selection), 128);
  EXPECT_EQ(width(prepared, "layer4.0.conv1.weight", selection), 256);
}

TEST(SelectResNet18, FiveSteps) {
  Prepared prepared = prepare(zoo::build("resnet18"));
  const Selection selection = select(prepared, {.ratio = 0.5, .steps = 5});
  EXPECT_EQ(selection.step_parameters, (Ints{9481588, 7534380, 5820556, 4318898, 3055880}));
}

TEST(SelectResNet18, EveryScheduleArrives) {
  Prepared prepared = prepare(zoo::build("resnet18"));
  for (Schedule schedule : {Schedule::one_shot, Schedule::iterative, Schedule::linear, Schedule::cos, Schedule::agp,
                            Schedule::one_cycle, Schedule::dsd}) {
    const Selection selection = select(prepared, {.ratio = 0.3, .steps = 3, .schedule = schedule});
    ASSERT_EQ(selection.step_parameters.size(), 3u);
    EXPECT_EQ(selection.step_parameters[2], 5820556) << to_string(schedule);
    EXPECT_GE(selection.step_parameters[0], selection.step_parameters[1]);
  }
}

TEST(SelectResNet18, EveryCriterionRemovesAsMany) {
  using importance::Criterion;
  Prepared prepared = prepare(zoo::build("resnet18"));
  const auto first = select(prepared, {.ratio = 0.3}).removed;
  for (Criterion criterion :
       {Criterion::l2, Criterion::small_final, Criterion::random, Criterion::bn_scale, Criterion::lamp}) {
    const Selection selection = select(prepared, {.ratio = 0.3, .criterion = criterion});
    EXPECT_EQ(selection.step_parameters, Ints{5820556}) << importance::to_string(criterion);
    if (criterion == Criterion::small_final || criterion == Criterion::random) {
      EXPECT_NE(selection.removed, first);
    }
  }
}

TEST(SelectResNet18, PerLayer) {
  Prepared prepared = prepare(zoo::build("resnet18"));
  SelectOptions options;
  for (const auto& [stage, ratio] :
       std::vector<std::pair<std::string, double>>{{"layer1", 0.2}, {"layer2", 0.4}, {"layer3", 0.6}, {"layer4", 0.8}})
    for (const char* convolution : {".0.conv1", ".0.conv2"}) options.layers.emplace_back(stage + convolution, ratio);
  const Selection selection = select(prepared, options);
  for (const auto& [stage, channels] : std::vector<std::pair<std::string, std::int64_t>>{
           {"layer1", 51}, {"layer2", 76}, {"layer3", 102}, {"layer4", 102}}) {
    EXPECT_EQ(width(prepared, stage + ".0.conv1.weight", selection), channels);
    EXPECT_EQ(width(prepared, stage + ".0.conv2.weight", selection), channels);
  }
  EXPECT_EQ(width(prepared, "layer4.1.conv1.weight", selection), 512);
}

TEST(SelectResNet18, TheSameForAnyNumberOfThreads) {
  Prepared prepared = prepare(zoo::build("resnet18"));
  const SelectOptions options{.ratio = 0.4, .context = Context::global, .steps = 2};
  base::set_thread_count(1);
  const Selection alone = select(prepared, options);
  base::set_thread_count(3);
  const Selection together = select(prepared, options);
  base::set_thread_count(0);
  EXPECT_EQ(alone.removed, together.removed);
  EXPECT_EQ(alone.scores, together.scores);
}

TEST(SelectResNet18, TargetsAreMetClosely) {
  Prepared prepared = prepare(zoo::build("resnet18"));
  const Count before = count(prepared);
  for (Context context : {Context::local, Context::global, Context::isomorphic}) {
    const Selection selection = select(prepared, {.context = context, .target_parameters = 0.5});
    const auto left = static_cast<double>(count(prepared, selection.removed).parameters);
    EXPECT_LE(left, 0.5 * static_cast<double>(before.parameters));
    EXPECT_GT(left, 0.49 * static_cast<double>(before.parameters));
    // A little less is removed a little below that ratio, and misses the target.
    const Selection less = select(prepared, {.ratio = selection.ratio - 1e-6, .context = context});
    EXPECT_GT(static_cast<double>(less.step_parameters[0]), 0.5 * static_cast<double>(before.parameters));
  }
  const Selection macs = select(prepared, {.steps = 3, .target_macs = 0.25});
  const double share = count(prepared, macs.removed).macs / before.macs;
  EXPECT_LE(share, 0.25);
  EXPECT_GT(share, 0.24);
}

// Scores taken anew favour other layers than the first ones did: more steps must not carry the result past the target.
TEST(SelectResNet18, TargetsAreMetCloselyInSteps) {
  Prepared prepared = prepare(zoo::build("resnet18"));
  const Count before = count(prepared);
  for (Context context : {Context::local, Context::global, Context::isomorphic})
    for (int steps : {2, 5, 10}) {
      const Selection macs = select(prepared, {.context = context, .steps = steps, .target_macs = 0.5});
      const double share = count(prepared, macs.removed).macs / before.macs;
      EXPECT_LE(share, 0.5);
      EXPECT_GT(share, 0.49) << "steps " << steps;
      EXPECT_GT(macs.ratio, 0);
      const Selection parameters = select(prepared, {.context = context, .steps = steps, .target_parameters = 0.5});
      const double left = static_cast<double>(count(prepared, parameters.removed).parameters);
      EXPECT_LE(left, 0.5 * static_cast<double>(before.parameters));
      EXPECT_GT(left, 0.49 * static_cast<double>(before.parameters)) << "steps " << steps;
    }
}

// -- small graphs by hand

// Columns of fc0 and rows of fc1 are the units; |w| sums: 2, 4, 6, 8 on each.
Prepared two_layers() {
  return chain({real({2, 4}, {1, -2, 3, 4, 1, 2, 3, -4}), real({4, 2}, {1, 1, 2, 2, 3, 3, 4, 4})});
}

TEST(Select, LocalTakesTheLowest) {
  Prepared prepared = two_layers();
  const Selection selection = select(prepared, {.ratio = 0.5});
  EXPECT_EQ(kept(prepared, "fc0.weight", 1, selection.removed), (Ints{2, 3}));
  EXPECT_EQ(kept(prepared, "fc1.weight", 0, selection.removed), (Ints{2, 3}));
  EXPECT_EQ(kept(prepared, "fc1.weight", 1, selection.removed), (Ints{0, 1}));
  EXPECT_EQ(selection.step_parameters, Ints{8});
}

TEST(Select, TiesGoByIndex) {
  Prepared prepared = chain({filled({2, 4}), filled({4, 2})});
  EXPECT_EQ(kept(prepared, "fc0.weight", 1, select(prepared, {.ratio = 0.25}).removed), (Ints{1, 2, 3}));
}

// Groups: 4 units between fc0 and fc1 with scores 2 4 6 8 (as above), 2 units between fc1 and fc2.
Prepared three_layers(const std::vector<float>& last) {
  return chain({real({2, 4}, {1, 2, 3, 4, 1, 2, 3, 4}), real({4, 2}, {1, 1, 2, 2, 3, 3, 4, 4}), real({2, 2}, last)});
}

TEST(Select, GlobalRanksAllUnitsTogether) {
  // The second group: fc1's columns sum to 10 and 10, fc2's rows to 2 and 30: scores 6 and 20.
  Prepared prepared = three_layers({1, 1, 15, 15});
  // Without normalising: 2 4 6 8 | 6 20. Half of six units: 2, 4 and the first 6.
  Selection selection =
      select(prepared, {.ratio = 0.5, .context = Context::global, .normalizer = importance::Normalizer::none});
  EXPECT_EQ(kept(prepared, "fc0.weight", 1, selection.removed), (Ints{3}));
  EXPECT_EQ(kept(prepared, "fc1.weight", 1, selection.removed), (Ints{0, 1}));
  // Divided by the means 5 and 13: 0.4 0.8 1.2 1.6 | 0.46 1.54.
  selection = select(prepared, {.ratio = 0.5, .context = Context::global});
  EXPECT_EQ(kept(prepared, "fc0.weight", 1, selection.removed), (Ints{2, 3}));
  EXPECT_EQ(kept(prepared, "fc1.weight", 1, selection.removed), (Ints{1}));
}

TEST(Select, GlobalLeavesTheLeastAndGoesOn) {
  // 2 4 6 8 | 500.. 500..: the first group would go altogether.
  Prepared prepared = three_layers({500, 500, 500, 500});
  SelectOptions options{.ratio = 0.84, .context = Context::global, .normalizer = importance::Normalizer::none};
  const Selection selection = select(prepared, options);  // floor(5.04) = 5 wanted, 4 possible
  EXPECT_EQ(kept(prepared, "fc0.weight", 1, selection.removed), (Ints{3}));
  EXPECT_EQ(kept(prepared, "fc1.weight", 1, selection.removed), (Ints{1}));
  options.min_units = 2;
  const Selection careful = select(prepared, options);
  EXPECT_EQ(kept(prepared, "fc0.weight", 1, careful.removed), (Ints{2, 3}));
  EXPECT_EQ(kept(prepared, "fc1.weight", 1, careful.removed), (Ints{0, 1}));
}

TEST(Select, GlobalCountsWideGroupsOnce) {
  Prepared prepared = chain({filled({1, 600}), filled({600, 2}), filled({2, 1})});
  const Selection selection = select(prepared, {.ratio = 0.5, .context = Context::global});
  EXPECT_EQ(std::count(selection.removed.begin(), selection.removed.end(), 1), 301);  // of 602
}

TEST(Select, LaterStepsSeeWhatIsLeft) {
  // Unit 0 of the second group owes its score to unit 0 of the first, which goes at once.
  Prepared prepared =
      chain({real({1, 4}, {0, 5, 5, 5}), real({4, 3}, {9, 0, 0, 1, 3, 3, 1, 3, 4, 1, 3, 5}), filled({3, 1}, 0)});
  // Columns of fc1: 12, 9, 12 at first; without row 0: 3, 9, 12.
  const SelectOptions once{.ratio = 0.5};
  EXPECT_EQ(kept(prepared, "fc1.weight", 1, select(prepared, once).removed), (Ints{2}));
  // Step 1 of 2: keeps 3 of 4 and int(3 * 0.75) = 2 of 3: unit 1 goes. Step 2 keeps int(1.5) = 1: the fresh scores
  // are 3 and 12.
  const Selection two = select(prepared, {.ratio = 0.5, .steps = 2});
  EXPECT_EQ(two.step_parameters, (Ints{3 + 6 + 2, 2 + 2 + 1}));
  EXPECT_EQ(kept(prepared, "fc1.weight", 1, two.removed), (Ints{2}));
  const auto units =
      prepared.couplings.track(prepared.couplings.axes(prepared.model.graph.find("fc1.weight"))[1].track);
  const auto score = [&](std::size_t column) { return two.scores[static_cast<std::size_t>(units[column])]; };
  EXPECT_DOUBLE_EQ(score(0), 3 / 2.0);  // mean of fc1's column and fc2's row
  EXPECT_DOUBLE_EQ(score(2), 12 / 2.0);
}

TEST(Select, WidthsAreRounded) {
  Prepared prepared = chain({filled({2, 40}), filled({40, 2})});
  const auto left = [&](SelectOptions options) {
    return kept(prepared, "fc0.weight", 1, select(prepared, options).removed).size();
  };
  EXPECT_EQ(left({.ratio = 0.3}), 28u);
  EXPECT_EQ(left({.ratio = 0.3, .round_to = 8}), 32u);   // 28: of two nearest the larger
  EXPECT_EQ(left({.ratio = 0.35, .round_to = 8}), 24u);  // 26
  EXPECT_EQ(left({.ratio = 0.9, .round_to = 8}), 8u);
  EXPECT_EQ(left({.ratio = 0.9, .round_to = 8, .min_units = 9}), 16u);
  EXPECT_EQ(left({.ratio = 0.9, .min_units = 9}), 9u);
}

TEST(Select, RoundingCountsTheIndicesThatAUnitOwns) {
  // A grouped convolution with 4 groups of 4 channels loses one channel a group: 4 indices a unit.
  graph::Builder b("grouped");
  const auto x = b.input("x", DType::float32, {{1, ""}, {3, ""}, {4, ""}, {4, ""}});
  const auto stem = b.op("Conv", {x, b.initializer("stem", filled({16, 3, 1, 1}))});
  const auto y = b.op("Conv", {stem, b.initializer("grouped", filled({16, 4, 1, 1}))}, {attr("group", 4)});
  const auto z = b.op("Conv", {y, b.initializer("head", filled({3, 16, 1, 1}))});
  b.output(z, DType::float32, {{1, ""}, {3, ""}, {4, ""}, {4, ""}});
  Prepared prepared = prepare(std::move(b).finish());
  const Selection selection = select(prepared, {.ratio = 0.5, .round_to = 8});
  EXPECT_EQ(kept(prepared, "stem", 0, selection.removed).size(), 8u);
}

TEST(Select, IsomorphicSetsRankAlikeGroupsTogether) {
  // fc0-fc1 and fc1-fc2 both lie between products; a group with a scale has other surroundings.
  graph::Builder b("three");
  graph::ValueId x = b.input("x", DType::float32, {{1, ""}, {1, ""}});
  x = b.op("MatMul", {x, b.initializer("a", real({1, 2}, {1, 1}))});
  x = b.op("MatMul", {x, b.initializer("b", real({2, 2}, {10, 10, 10, 10}))});
  x = b.op("MatMul", {x, b.initializer("c", real({2, 2}, {30, 30, 30, 30}))});
  x = b.op("Mul", {x, b.initializer("scale", real({2}, {1, 1}))});
  x = b.op("MatMul", {x, b.initializer("d", real({2, 1}, {1, 1}))});
  b.output(x, DType::float32, {{1, ""}, {1, ""}});
  Prepared prepared = prepare(std::move(b).finish());
  const SelectOptions options{.ratio = 0.5, .context = Context::isomorphic, .normalizer = importance::Normalizer::none};
  const Selection selection = select(prepared, options);
  // First set: (a, b) and (b, c) with 4 units, 2 wanted: one unit of (a, b), which keeps the other, then one of (b, c).
  // Second set: (c, scale, d) alone: 1 of 2.
  EXPECT_EQ(kept(prepared, "a", 1, selection.removed), (Ints{1}));
  EXPECT_EQ(kept(prepared, "b", 1, selection.removed), (Ints{1}));
  EXPECT_EQ(kept(prepared, "c", 1, selection.removed), (Ints{1}));
  // A quarter: the first set gives its weakest unit, the second floor(0.5) = none.
  const Selection quarter =
      select(prepared, {.ratio = 0.25, .context = Context::isomorphic, .normalizer = importance::Normalizer::none});
  EXPECT_EQ(kept(prepared, "a", 1, quarter.removed), (Ints{1}));
  EXPECT_EQ(kept(prepared, "b", 1, quarter.removed), (Ints{0, 1}));
  EXPECT_EQ(kept(prepared, "c", 1, quarter.removed), (Ints{0, 1}));
}

TEST(Select, NoAxisIsEmptied) {
  // A slice of two channels is summed; both are the weakest of their group.
  graph::Builder b("sliced");
  const auto x = b.input("x", DType::float32, {{1, ""}, {1, ""}});
  const auto y = b.op("MatMul", {x, b.initializer("a", real({1, 6}, {1, 2, 10, 10, 10, 10}))});
  const auto part = b.op("Slice", {y, b.ints({0}), b.ints({2}), b.ints({1})});
  const auto rest = b.op("Slice", {y, b.ints({2}), b.ints({6}), b.ints({1})});
  const auto sum = b.op("Add", {b.op("ReduceSum", {part, b.ints({1})}), b.op("ReduceSum", {rest, b.ints({1})})});
  b.output(sum, DType::float32, {{1, ""}, {1, ""}});
  Prepared prepared = prepare(std::move(b).finish());
  EXPECT_EQ(kept(prepared, "a", 1, select(prepared, {.ratio = 0.5}).removed), (Ints{1, 3, 4, 5}));
}

// -- names

TEST(Select, IgnoredLayersStay) {
  Prepared prepared = three_layers({1, 1, 15, 15});
  const Selection selection = select(prepared, {.ratio = 0.5, .ignore = {"fc0"}});
  EXPECT_EQ(kept(prepared, "fc0.weight", 1, selection.removed).size(), 4u);
  EXPECT_EQ(kept(prepared, "fc1.weight", 1, selection.removed).size(), 1u);
  const auto& units = prepared.couplings.units();
  EXPECT_EQ(std::count_if(units.begin(), units.end(),
                          [](const coupling::Unit& u) { return u.reason == coupling::Reason::ignored; }),
            4);
}

TEST(Select, TheLongestNameWins) {
  Prepared prepared = three_layers({1, 1, 15, 15});
  const Selection selection = select(prepared, {.ratio = 0.75, .layers = {{"fc*", 0.0}, {"fc1", 0.5}}});
  EXPECT_EQ(kept(prepared, "fc0.weight", 1, selection.removed).size(), 4u);
  EXPECT_EQ(kept(prepared, "fc1.weight", 1, selection.removed).size(), 1u);
}

TEST(Select, BadNamesAndNumbersSayWhatIsWrong) {
  const Prepared prepared = three_layers({1, 1, 15, 15});
  const auto message = [&](const SelectOptions& options) { return error_of(prepared, options); };
  EXPECT_TRUE(has(message({.layers = {{"fc7", 0.5}}}), "nearest: fc0, fc1, fc2"))
      << message({.layers = {{"fc7", 0.5}}});
  EXPECT_TRUE(has(message({.ratio = 0.5, .ignore = {"cf1"}}), "\"cf1\""));
  EXPECT_TRUE(has(message({.layers = {{"fc2", 0.5}}}), "leaves with a graph output"));
  EXPECT_TRUE(has(message({.ratio = 1}), "ratio: expected 0 to below 1, found 1"));
  EXPECT_TRUE(has(message({.ratio = -0.1}), "found -0.1"));
  EXPECT_TRUE(has(message({.layers = {{"fc0", 1.5}}}), "\"fc0\""));
  EXPECT_TRUE(has(message({.ratio = 0.5, .round_to = 0}), "rounding"));
  EXPECT_TRUE(has(message({.ratio = 0.5, .steps = 0}), "steps"));
  EXPECT_TRUE(has(message({.target_macs = 1.0}), "target"));
  // One unit of each group leaves 2 + 1 + 2 of the 20 numbers, and as many of the products.
  EXPECT_TRUE(
      has(message({.target_parameters = 0.01}), "cannot be reached: the smallest model keeps 25 % of the parameters"));
  EXPECT_TRUE(has(message({.target_macs = 0.01}), "cannot be reached: the smallest model keeps 25 % of the MACs"));
  EXPECT_TRUE(has(message({.ratio = 0}), "nothing to remove at ratio 0"));
  EXPECT_TRUE(has(message({.ratio = 0.1, .min_units = 4}), "at least 4 units a group"));
  EXPECT_TRUE(has(message({.ratio = 0.1, .context = Context::global}), "nothing to remove at ratio 0.1"));
  EXPECT_TRUE(has(message({.ratio = 0.5, .ignore = {"*"}}), "6: ignored by request"));
}

TEST(Select, LayersThatGoTogetherTakeOneRatio) {
  // Both products end in one sum.
  graph::Builder b("residual");
  const auto x = b.input("x", DType::float32, {{1, ""}, {2, ""}});
  const auto left = b.op("MatMul", {x, b.initializer("l.weight", filled({2, 4}))}, {}, "l");
  const auto right = b.op("MatMul", {x, b.initializer("r.weight", filled({2, 4}))}, {}, "r");
  const auto y = b.op("MatMul", {b.op("Add", {left, right}), b.initializer("out", filled({4, 1}))});
  b.output(y, DType::float32, {{1, ""}, {1, ""}});
  const Prepared prepared = prepare(std::move(b).finish());
  const std::string message = error_of(prepared, {.layers = {{"l", 0.5}, {"r", 0.25}}});
  EXPECT_TRUE(has(message, "\"l\" and \"r\"")) << message;
  EXPECT_EQ(error_of(prepared, {.layers = {{"l", 0.5}, {"r", 0.5}}}), "");
}

TEST(Select, AModelThatCannotBePrunedSaysWhy) {
  const std::string message = error_of(chain({filled({2, 4})}), {.ratio = 0.5});
  EXPECT_TRUE(has(message, "nothing can be pruned")) << message;
  EXPECT_TRUE(has(message, "graph output")) << message;
}

}  // namespace
}  // namespace coppice::pruning
