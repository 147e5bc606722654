// Where a criterion measures nothing of a group, none of its units is known to matter less than another.
#include <algorithm>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/pruning/prune.hpp"

#include "pruning/prepared.hpp"

namespace coppice::pruning {
namespace {

using Ints = std::vector<std::int64_t>;
using Texts = std::vector<std::string>;

// Groups of four and of two units: fc0.weight[1] with fc1.weight[0], fc1.weight[1] with fc2.weight[0].
std::vector<graph::Tensor> weights() {
  return {real({2, 4}, {1, 2, 3, 4, 1, 2, 3, 4}), real({4, 2}, {1, 1, 2, 2, 3, 3, 4, 4}), real({2, 2}, {1, 1, 15, 15})};
}

// Knows fc1's outputs, of which the first matters less, and nothing else.
importance::Measure of_last_group(const Prepared& prepared) {
  const graph::ValueId fc1 = prepared.model.graph.find("fc1.weight");
  return [fc1](const coupling::Site& site) {
    return site == coupling::Site{fc1, 1} ? std::vector<double>{1, 2} : std::vector<double>();
  };
}

std::int64_t unmeasured_units(const Prepared& prepared) {
  const auto units = prepared.couplings.units();
  return std::count_if(units.begin(), units.end(), [](const coupling::Unit& unit) {
    return unit.locked && unit.reason == coupling::Reason::unmeasured;
  });
}

const std::string warning = "group fc0.weight[1], fc1.weight[0] stays whole with its ";

TEST(Unmeasured, GroupsStayWholeInEveryContext) {
  for (const Context context : {Context::local, Context::global, Context::isomorphic}) {
    Prepared prepared = chain(weights());
    const Selection selection =
        select(prepared, {.ratio = 0.5, .context = context, .measure = [](const Prepared& whole, auto) {
                            return of_last_group(whole);
                          }});
    EXPECT_EQ(kept(prepared, "fc0.weight", 1, selection.removed), (Ints{0, 1, 2, 3}));
    EXPECT_EQ(kept(prepared, "fc1.weight", 1, selection.removed), (Ints{1}));
    EXPECT_EQ(selection.warnings, Texts{warning + "4 units: the criterion measures none of these"});
    EXPECT_EQ(unmeasured_units(prepared), 4);
  }
}

TEST(Unmeasured, StayWholeUnderATarget) {
  Prepared prepared = chain(weights());
  const SelectOptions options{.target_parameters = 0.75,
                              .measure = [](const Prepared& whole, auto) { return of_last_group(whole); }};
  // 8 + 4 + 2 of 20 parameters are left when the second group loses a unit: 70 %.
  EXPECT_EQ(select(prepared, options).step_parameters, (Ints{14}));
}

TEST(Unmeasured, ScalesAreAllThatBnScaleMeasures) {
  Prepared prepared = chain(weights());
  std::string message;
  try {
    select(prepared, {.ratio = 0.5, .criterion = importance::Criterion::bn_scale});
  } catch (const Error& error) {
    message = error.what();
  }
  EXPECT_EQ(message.find("nothing can be pruned: 10 units stay (6: the criterion measures nothing of it"), 0u)
      << message;
}

TEST(Unmeasured, ReportsAreToldOnce) {
  graph::Builder b("two");
  const auto scale = [&](const char* name, float value) { return b.initializer(name, filled({4}, value)); };
  graph::ValueId x = b.input("x", graph::DType::float32, {{1, ""}, {2, ""}});
  x = b.op("MatMul", {x, b.initializer("first", filled({2, 4}))});
  x = b.op("BatchNormalization",
           {x, b.initializer("gamma", real({4}, {3, 1, 4, 2})), scale("beta", 0), scale("mean", 0), scale("var", 1)});
  x = b.op("MatMul", {x, b.initializer("second", filled({4, 6}))});
  x = b.op("MatMul", {x, b.initializer("third", filled({6, 2}))});
  b.output(x, graph::DType::float32, {{1, ""}, {2, ""}});
  const PruneResult result = prune(
      std::move(b).finish(), {.select = {.ratio = 0.5, .criterion = importance::Criterion::bn_scale, .steps = 2}});
  EXPECT_EQ(kept(result.prepared, "first", 1, result.removed), (Ints{0, 2}));
  EXPECT_EQ(kept(result.prepared, "second", 1, result.removed).size(), 6u);
  EXPECT_EQ(result.report.warnings,
            Texts{"group second[1], third[0] stays whole with its 6 units: bn_scale measures none of these"});
}

TEST(Unmeasured, WhatIsLeftOfAGroupStays) {
  Prepared prepared = chain(weights());
  int calls = 0;
  StepwiseSelection steps(prepared, {.ratio = 0.5, .steps = 2, .measure = [&](const Prepared& whole, auto) {
                                       if (++calls > 1) return of_last_group(whole);
                                       return importance::Measure([&](const coupling::Site& site) {
                                         const auto axes = prepared.couplings.axes(site.constant);
                                         return std::vector<double>(
                                             static_cast<std::size_t>(axes[static_cast<std::size_t>(site.axis)].length),
                                             1);
                                       });
                                     }});
  steps.next();
  EXPECT_EQ(kept(prepared, "fc0.weight", 1, steps.selection().removed), (Ints{1, 2, 3}));
  EXPECT_TRUE(steps.warnings().empty());
  steps.next();
  EXPECT_EQ(kept(prepared, "fc0.weight", 1, steps.selection().removed), (Ints{1, 2, 3}));
  EXPECT_EQ(steps.warnings(), Texts{warning + "3 units: the criterion measures none of these"});
  steps.undo();
  steps.next();
  EXPECT_EQ(steps.warnings().size(), 1u);
}

TEST(Unmeasured, ManyGroupsAreCounted) {
  Prepared prepared = chain(std::vector<graph::Tensor>(9, filled({2, 2})));
  const graph::ValueId last = prepared.model.graph.find("fc8.weight");
  const Selection selection =
      select(prepared, {.ratio = 0.5, .measure = [&](const Prepared&, auto) {
                          return importance::Measure([last](const coupling::Site& site) {
                            return site.constant == last ? std::vector<double>{1, 2} : std::vector<double>();
                          });
                        }});
  ASSERT_EQ(selection.warnings.size(), 6u);
  EXPECT_EQ(selection.warnings[5], "2 more groups stay whole for the same reason");
}

TEST(Select, AStepThatFailsIsNotMade) {
  Prepared prepared = chain(weights());
  bool fails = true;
  StepwiseSelection steps(prepared, {.ratio = 0.5, .measure = [&](const Prepared& whole, auto) {
                                       if (std::exchange(fails, false)) throw Error("no gradient");
                                       return of_last_group(whole);
                                     }});
  EXPECT_THROW(steps.next(), Error);
  EXPECT_FALSE(steps.done());
  steps.next();
  EXPECT_TRUE(steps.done());
  EXPECT_EQ(kept(prepared, "fc1.weight", 1, steps.selection().removed), (Ints{1}));
}

}  // namespace
}  // namespace coppice::pruning
