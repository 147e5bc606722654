#include <gtest/gtest.h>

#include "coupling/state.hpp"

// Row-major regrouping of axes, and what a split axis waits for.
namespace coppice::coupling {
namespace {

using Lengths = std::vector<std::int64_t>;

class ReshapeTest : public testing::Test {
 protected:
  std::vector<Axis> reshape(const std::vector<Axis>& in, const Lengths& out) { return s.reshape(in, out, 3); }
  Reason reason(TrackId track) { return s.lock_of(s.ids(track)[0])->reason; }
  bool open(TrackId track) { return !s.fully_locked(track); }

  State s;
};

TEST_F(ReshapeTest, UnchangedAxesPass) {
  const Axis a = s.fresh_axis(4);
  const auto out = reshape({State::free_axis(2), a, State::free_axis(9)}, {2, 4, 9});
  EXPECT_FALSE(out[0].tracked());
  EXPECT_EQ(out[1].track, a.track);
  EXPECT_TRUE(open(a.track));
}

TEST_F(ReshapeTest, OnesComeAndGo) {
  const Axis a = s.fresh_axis(4);
  const auto out = reshape({State::free_axis(1), a, State::free_axis(1)}, {4, 1, 1, 1});
  EXPECT_EQ(out[0].track, a.track);
  EXPECT_EQ(out[1].length, 1);
  EXPECT_FALSE(out[3].tracked());
}

TEST_F(ReshapeTest, MergingKeepsTheFactors) {
  const Axis a = s.fresh_axis(4), b = s.fresh_axis(3);
  const auto out = reshape({a, b, State::free_axis(5)}, {60});
  const auto factors = s.factors(out[0]);
  ASSERT_EQ(factors.size(), 3u);
  EXPECT_EQ(factors[0].track, a.track);
  EXPECT_EQ(factors[1].track, b.track);
  EXPECT_EQ(factors[2], (Factor{5, no_track}));
  EXPECT_TRUE(s.grids().empty());
}

TEST_F(ReshapeTest, WhatWasMergedComesApartAgain) {
  const Axis a = s.fresh_axis(4), b = s.fresh_axis(3);
  const auto merged = reshape({a, b}, {12});
  const auto out = reshape(merged, {4, 3});
  EXPECT_EQ(out[0].track, a.track);
  EXPECT_EQ(out[1].track, b.track);
}

TEST_F(ReshapeTest, SplittingMakesAGridAndTheSameSplitTheSameGrid) {
  const Axis a = s.fresh_axis(6);
  const auto one = reshape({a}, {2, 3}), two = reshape({a}, {2, 3}), other = reshape({a}, {3, 2});
  EXPECT_EQ(one[0].track, two[0].track);
  EXPECT_EQ(one[1].track, two[1].track);
  EXPECT_NE(one[1].track, other[0].track);
  ASSERT_EQ(s.grids().size(), 2u);
  EXPECT_EQ(s.grids()[0].dims, (Lengths{2, 3}));
  EXPECT_EQ(s.grids()[1].dims, (Lengths{3, 2}));
  EXPECT_EQ(s.grids()[0].node, 3);
}

TEST_F(ReshapeTest, SplitAndMergeInOneStep) {
  const Axis a = s.fresh_axis(6);  // 6, 4 -> 2, 12: the 3 of the six and the 4 become one axis
  const auto out = reshape({a, State::free_axis(4)}, {2, 12});
  EXPECT_EQ(out[0].length, 2);
  EXPECT_EQ(out[0].track, s.grids().at(0).parts[0]);
  const auto factors = s.factors(out[1]);
  ASSERT_EQ(factors.size(), 2u);
  EXPECT_EQ(factors[0], (Factor{3, s.grids()[0].parts[1]}));
  EXPECT_EQ(factors[1], (Factor{4, no_track}));
}

TEST_F(ReshapeTest, BlocksThatDoNotDivideLock) {
  const Axis a = s.fresh_axis(4), b = s.fresh_axis(3);
  const auto out = reshape({a, b}, {3, 4});
  EXPECT_FALSE(out[0].tracked());
  EXPECT_EQ(reason(a.track), Reason::mixed_by_reshape);
  EXPECT_EQ(reason(b.track), Reason::mixed_by_reshape);
  EXPECT_TRUE(s.grids().empty());
}

TEST_F(ReshapeTest, OnlyTheBlockThatMixesLocks) {
  const Axis a = s.fresh_axis(5), b = s.fresh_axis(4), c = s.fresh_axis(3);
  const auto out = reshape({a, b, c}, {5, 6, 2});
  EXPECT_EQ(out[0].track, a.track);
  EXPECT_TRUE(open(a.track));
  EXPECT_FALSE(open(b.track));
  EXPECT_FALSE(open(c.track));
}

TEST_F(ReshapeTest, UnequalProductsLock) {
  const Axis a = s.fresh_axis(4);
  EXPECT_FALSE(reshape({a}, {5})[0].tracked());
  EXPECT_FALSE(open(a.track));
  const Axis b = s.fresh_axis(4);
  EXPECT_FALSE(reshape({b}, {0, 4})[1].tracked());
  EXPECT_FALSE(open(b.track));
  const Axis c = s.fresh_axis(4);
  reshape({c, State::free_axis(INT64_MAX), State::free_axis(INT64_MAX)}, {INT64_MAX, INT64_MAX, 4});
  EXPECT_FALSE(open(c.track));
}

TEST_F(ReshapeTest, TheOnlyUnitOfAnAxisStays) {
  const Axis one = s.fresh_axis(1);
  EXPECT_FALSE(reshape({one, State::free_axis(2)}, {2})[0].tracked());
  EXPECT_EQ(reason(one.track), Reason::mixed_by_reshape);
}

TEST_F(ReshapeTest, FreeAxesRememberTheInput) {
  EXPECT_EQ(reshape({State::free_axis(6, Reason::graph_input)}, {2, 3})[1].why, Reason::graph_input);
  EXPECT_EQ(reshape({State::free_axis(6)}, {2, 3})[1].why, Reason::fixed_axis);
}

TEST_F(ReshapeTest, AReplicatedAxisThatMetNothingCountsAsFree) {
  const Axis heads = s.fresh_axis(2), repeat = s.fresh_axis(3, State::replicated);
  const auto out = reshape({heads, repeat}, {6});
  const auto factors = s.factors(out[0]);
  ASSERT_EQ(factors.size(), 2u);
  EXPECT_EQ(factors[0].track, heads.track);
  EXPECT_EQ(factors[1].track, no_track);
  EXPECT_EQ(reason(repeat.track), Reason::split_factor);
}

TEST_F(ReshapeTest, AReplicatedAxisThatMetAnotherKeepsItsUnits) {
  const Axis heads = s.fresh_axis(2), repeat = s.fresh_axis(3, State::replicated);
  s.meet(repeat, s.fresh_axis(3), 0);
  const auto factors = s.factors(reshape({heads, repeat}, {6})[0]);
  ASSERT_EQ(factors.size(), 2u);
  EXPECT_EQ(factors[1].track, repeat.track);
  EXPECT_TRUE(open(repeat.track));
}

TEST_F(ReshapeTest, ALockedAxisSplitsIntoFreeOnes) {
  const Axis a = s.fresh_axis(6);
  s.lock(a, Reason::graph_output, -1);
  const auto out = reshape({a}, {2, 3});
  EXPECT_FALSE(out[0].tracked());
  EXPECT_TRUE(s.grids().empty());
}

// Which factor of a split axis carries the cut.
class GridTest : public ReshapeTest {
 protected:
  Axis a = s.fresh_axis(12);
  std::vector<Axis> parts = reshape({a}, {3, 4});
  int carrier(bool batch_carries = true) {
    decide_grids(s, batch_carries);
    return s.grids()[0].carrier;
  }
};

TEST_F(GridTest, TheFactorWithMoreUnitsCarries) {
  EXPECT_EQ(carrier(), 1);
  EXPECT_EQ(reason(parts[0].track), Reason::split_factor);
  EXPECT_TRUE(open(parts[1].track));
  // Index i of the whole is unit i mod 4.
  const auto ids = s.ids(a.track), part = s.ids(parts[1].track);
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(s.find(ids[i]), s.find(part[i % 4]));
}

TEST_F(GridTest, ABatchFactorCarriesHoweverSmall) {
  s.flag(parts[0], State::batch);
  EXPECT_EQ(carrier(), 0);
  const auto ids = s.ids(a.track), part = s.ids(parts[0].track);
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(s.find(ids[i]), s.find(part[i / 4]));
}

TEST_F(GridTest, HeadDimensionLeavesTheBatchFactorAlone) {
  s.flag(parts[0], State::batch);
  s.flag(parts[1], State::avoid);
  EXPECT_EQ(carrier(false), 1);
  EXPECT_FALSE(open(parts[0].track));
}

TEST_F(GridTest, AContractedFactorIsAvoided) {
  s.flag(parts[1], State::avoid);
  EXPECT_EQ(carrier(), 0);
}

TEST_F(GridTest, TheOnlyOpenFactorIsForced) {
  s.lock(parts[1], Reason::picked, 0);
  s.flag(parts[0], State::avoid);
  EXPECT_EQ(carrier(), 0);
}

TEST_F(GridTest, TheOnlyVaryingFactorIsForced) {
  const auto ids = s.ids(parts[1].track);
  for (UnitId id : ids) s.unite(ids[0], id);
  EXPECT_EQ(carrier(), 0);
}

TEST_F(GridTest, NoOpenFactorLocksTheWhole) {
  s.lock(parts[0], Reason::picked, 0);
  s.lock(parts[1], Reason::picked, 0);
  EXPECT_EQ(carrier(), 2);
  EXPECT_EQ(reason(a.track), Reason::split_factor);
}

TEST_F(GridTest, ALockedWholeLocksItsFactors) {
  s.lock(a, Reason::graph_output, -1);
  EXPECT_EQ(carrier(), 2);
  EXPECT_FALSE(open(parts[0].track));
  EXPECT_FALSE(open(parts[1].track));
}

TEST_F(GridTest, TwoReadingsOfOneAxisAgree) {
  // 3 x 4 and 6 x 2: the four carry (i mod 4), then the six (i / 2), which leaves two units: {0, 1, 4, 5...},
  // {2, 3...}.
  reshape({a}, {6, 2});
  EXPECT_EQ(carrier(), 1);
  EXPECT_EQ(s.grids()[1].carrier, 0);
  const auto ids = s.ids(a.track);
  for (std::size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(s.find(ids[i]), s.find(ids[i / 2 % 2 * 2])) << i;
  EXPECT_NE(s.find(ids[0]), s.find(ids[2]));
}

}  // namespace
}  // namespace coppice::coupling
