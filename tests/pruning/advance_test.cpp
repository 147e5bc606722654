#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/pruning/select.hpp"
#include "coppice/zoo/zoo.hpp"

// StepwiseSelection for schedules of the caller's own.
namespace coppice::pruning {
namespace {

TEST(Advance, GoesWhereStepsGo) {
  for (const Context context : {Context::local, Context::global, Context::isomorphic}) {
    Prepared one = prepare(zoo::build("resnet18", 3)), two = prepare(zoo::build("resnet18", 3));
    StepwiseSelection steps(one, {.ratio = 0.5, .context = context, .steps = 4}),
        shares(two, {.ratio = 0.5, .context = context});
    for (int step = 1; step <= 4; ++step) {
      steps.next();
      EXPECT_TRUE(shares.advance(step / 4.0));
      EXPECT_EQ(steps.selection().removed, shares.selection().removed) << step;
    }
  }
}

TEST(Advance, ChoosesOnlyWhereAUnitIsDue) {
  Prepared prepared = prepare(zoo::build("resnet18"));
  int asked = 0;
  SelectOptions options{.ratio = 0.5, .context = Context::global};
  options.measure = [&](const Prepared&, std::span<const std::uint8_t>) {
    ++asked;
    return importance::Measure();
  };
  StepwiseSelection selection(prepared, options);
  // ResNet-18 has 1,920 + 960 = 2,880 channels in groups: 64, 128, 256 and 512 of each residual stream, and the inner
  // ones of two blocks a stage.
  EXPECT_FALSE(selection.due(0));
  EXPECT_FALSE(selection.due(1.9 / 2880));
  EXPECT_FALSE(selection.advance(1.9 / 2880));
  EXPECT_EQ(asked, 0);
  EXPECT_TRUE(selection.due(2.1 / 2880));
  EXPECT_TRUE(selection.advance(2.1 / 2880));
  EXPECT_EQ(asked, 1);
  EXPECT_FALSE(selection.advance(3.9 / 2880));
  EXPECT_FALSE(selection.advance(1.0 / 2880));
  EXPECT_EQ(asked, 1);
  selection.undo();
  EXPECT_TRUE(selection.due(2.1 / 2880));
  EXPECT_EQ(std::count(selection.selection().removed.begin(), selection.selection().removed.end(), 1), 0);
}

TEST(Advance, MeetsATargetAtTheEnd) {
  Prepared prepared = prepare(zoo::build("resnet18"));
  StepwiseSelection selection(prepared, {.context = Context::global, .target_macs = 0.4});
  const double before = count(prepared).macs;
  double last = before;
  for (const double share : {0.25, 0.5, 0.75, 1.0}) {
    EXPECT_TRUE(selection.advance(share));
    const double now = count(prepared, selection.selection().removed).macs;
    EXPECT_LT(now, last);
    last = now;
  }
  EXPECT_LE(last, 0.4 * before);
  EXPECT_GT(last, 0.39 * before);
  EXPECT_FALSE(selection.due(1));
}

TEST(Advance, GoesOnFromAPosition) {
  Prepared one = prepare(zoo::build("resnet18", 3)), two = prepare(zoo::build("resnet18", 3));
  const SelectOptions options{.ratio = 0.5, .context = Context::global};
  StepwiseSelection whole(one, options), second(two, options);
  EXPECT_TRUE(whole.advance(0.4));
  second.go_to(whole.position());
  EXPECT_FALSE(second.due(0.4));
  for (const double share : {0.6, 1.0}) {
    EXPECT_TRUE(whole.advance(share));
    EXPECT_TRUE(second.advance(share));
    EXPECT_EQ(whole.selection().removed, second.selection().removed);
  }
  StepwiseSelection::Position wrong = whole.position();
  wrong.removed.pop_back();
  EXPECT_THROW(second.go_to(wrong), Error);
  wrong.removed.assign(wrong.removed.size() + 1, 1);
  EXPECT_THROW(second.go_to(wrong), Error);
}

}  // namespace
}  // namespace coppice::pruning
