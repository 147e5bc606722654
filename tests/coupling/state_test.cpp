#include "coupling/state.hpp"

#include <gtest/gtest.h>

// The algebra of units, tracks and axes, without any graph. Lengths and units are worked out by hand.
namespace coppice::coupling {
namespace {

using Indices = std::vector<std::int64_t>;

class StateTest : public testing::Test {
 protected:
  /// The class of every index of an axis, flattened; -1 where it has no unit.
  std::vector<int> classes(const Axis& axis) {
    const Axis flat = s.flatten(axis, 0);
    std::vector<int> out(static_cast<std::size_t>(axis.length), -1);
    if (!flat.tracked()) return out;
    const auto ids = s.ids(flat.track);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = s.find(ids[i]);
    return out;
  }
  bool all_locked(const Axis& axis) {
    for (const Factor& f : s.factors(axis))
      if (!s.fully_locked(f.track)) return false;
    return true;
  }
  Reason reason(const Axis& axis) { return s.lock_of(s.ids(axis.track)[0])->reason; }

  State s;
};

TEST_F(StateTest, FreshUnitsAreDistinctAndOpen) {
  const Axis a = s.fresh_axis(3);
  EXPECT_EQ(a.length, 3);
  EXPECT_TRUE(a.tracked());
  EXPECT_EQ(classes(a), (std::vector<int>{0, 1, 2}));
  EXPECT_FALSE(s.locked(0));
  EXPECT_EQ(s.lock_of(0), nullptr);
  EXPECT_FALSE(State::free_axis(3).tracked());
}

TEST_F(StateTest, TheSmallestIdNamesAClass) {
  s.fresh_axis(4);
  s.unite(3, 1);
  s.unite(2, 3);
  EXPECT_EQ(s.find(3), 1);
  EXPECT_EQ(s.find(2), 1);
  EXPECT_EQ(s.find(0), 0);
}

TEST_F(StateTest, ALockHoldsForTheWholeClassAndTheFirstOneStays) {
  s.fresh_axis(3);
  s.lock(1, Reason::picked, 7);
  s.lock(1, Reason::graph_output, 9);
  s.unite(0, 1);
  EXPECT_TRUE(s.locked(0));
  EXPECT_FALSE(s.locked(2));
  EXPECT_EQ(s.lock_of(0)->reason, Reason::picked);
  EXPECT_EQ(s.lock_of(0)->node, 7);
}

TEST_F(StateTest, TheEarlierOfTwoLocksSurvivesAUnion) {
  s.fresh_axis(2);
  s.lock(1, Reason::picked, 3);
  s.lock(0, Reason::strided, 5);
  s.unite(0, 1);
  EXPECT_EQ(s.lock_of(0)->reason, Reason::picked);
}

TEST_F(StateTest, FlagsJoinAndMeetingTouches) {
  s.fresh_axis(2);
  s.flag(UnitId{0}, State::batch);
  s.flag(UnitId{1}, State::avoid);
  EXPECT_FALSE(s.has(0, State::touched));
  s.unite(0, 1);
  for (UnitId u : {0, 1}) {
    EXPECT_TRUE(s.has(u, State::batch));
    EXPECT_TRUE(s.has(u, State::avoid));
    EXPECT_TRUE(s.has(u, State::touched));
    EXPECT_FALSE(s.has(u, State::replicated));
  }
}

TEST_F(StateTest, MeetingTiesEqualIndices) {
  const Axis a = s.fresh_axis(3), b = s.fresh_axis(3);
  const Axis met = s.meet(a, b, 0);
  EXPECT_EQ(classes(met), classes(b));
  EXPECT_EQ(classes(b), (std::vector<int>{0, 1, 2}));
}

TEST_F(StateTest, AFreeAxisLocksWhatItMeetsAndSaysWhy) {
  const Axis a = s.fresh_axis(3), b = s.fresh_axis(3);
  EXPECT_FALSE(s.meet(State::free_axis(3, Reason::graph_input), a, 4).tracked());
  EXPECT_FALSE(s.meet(b, State::free_axis(3), 5).tracked());
  EXPECT_EQ(reason(a), Reason::graph_input);
  EXPECT_EQ(s.lock_of(0)->node, 4);
  EXPECT_EQ(reason(b), Reason::fixed_axis);
  EXPECT_FALSE(s.meet(State::free_axis(3), State::free_axis(3), 5).tracked());
}

TEST_F(StateTest, AxesOfDifferentLengthLockEachOther) {
  const Axis a = s.fresh_axis(3), b = s.fresh_axis(5);
  EXPECT_FALSE(s.meet(a, b, 0).tracked());
  EXPECT_TRUE(all_locked(a));
  EXPECT_TRUE(all_locked(b));
  EXPECT_EQ(reason(b), Reason::unknown_shape);
}

TEST_F(StateTest, MakeAxisDropsOnesAndJoinsFreeNeighbours) {
  const Axis a = s.fresh_axis(3);
  const std::vector<Factor> parts{{1, no_track}, {2, no_track}, {5, no_track}, {3, a.track}, {1, no_track}};
  const Axis made = s.make_axis(parts);
  EXPECT_EQ(made.length, 30);
  const auto factors = s.factors(made);
  ASSERT_EQ(factors.size(), 2u);
  EXPECT_EQ(factors[0], (Factor{10, no_track}));
  EXPECT_EQ(factors[1], (Factor{3, a.track}));
  const std::vector<Factor> alone{{1, no_track}, {3, a.track}};
  EXPECT_EQ(s.make_axis(alone).track, a.track);
  const std::vector<Factor> free{{2, no_track}, {3, no_track}};
  EXPECT_FALSE(s.make_axis(free).tracked());
}

TEST_F(StateTest, CompositeAxesMeetFactorByFactor) {
  const Axis a = s.fresh_axis(2), b = s.fresh_axis(3), c = s.fresh_axis(2), d = s.fresh_axis(3);
  const std::vector<Factor> ab{{2, a.track}, {3, b.track}}, cd{{2, c.track}, {3, d.track}};
  s.meet(s.make_axis(ab), s.make_axis(cd), 0);
  EXPECT_EQ(classes(c), classes(a));
  EXPECT_EQ(classes(d), classes(b));
  EXPECT_TRUE(s.grids().empty());
}

TEST_F(StateTest, ASingleAxisMeetingACompositeOneIsSplitLikeIt) {
  const Axis a = s.fresh_axis(2), b = s.fresh_axis(3), whole = s.fresh_axis(6);
  const std::vector<Factor> ab{{2, a.track}, {3, b.track}};
  const Axis met = s.meet(s.make_axis(ab), whole, 0);
  EXPECT_EQ(s.factors(met).size(), 2u);
  ASSERT_EQ(s.grids().size(), 1u);
  EXPECT_EQ(s.grids()[0].whole, whole.track);
  EXPECT_EQ(s.grids()[0].dims, (Indices{2, 3}));
  EXPECT_EQ(s.find(s.ids(s.grids()[0].parts[0])[1]), s.find(s.ids(a.track)[1]));
}

TEST_F(StateTest, FactorsThatDoNotDivideAreFlattened) {
  const Axis a = s.fresh_axis(2), b = s.fresh_axis(2);
  const std::vector<Factor> left{{2, a.track}, {3, no_track}}, right{{3, no_track}, {2, b.track}};
  // 0 0 0 1 1 1 meets 2 3 2 3 2 3: everything becomes one unit.
  const Axis met = s.meet(s.make_axis(left), s.make_axis(right), 0);
  EXPECT_EQ(classes(met), std::vector<int>(6, 0));
  EXPECT_EQ(s.find(3), 0);
}

TEST_F(StateTest, FlattenRepeatsTheOnlyMovingFactor) {
  const Axis a = s.fresh_axis(2);
  const std::vector<Factor> outer{{2, a.track}, {2, no_track}}, inner{{2, no_track}, {2, a.track}};
  EXPECT_EQ(classes(s.make_axis(outer)), (std::vector<int>{0, 0, 1, 1}));
  EXPECT_EQ(classes(s.make_axis(inner)), (std::vector<int>{0, 1, 0, 1}));
}

TEST_F(StateTest, FlatteningTwoMovingFactorsWaitsForADecision) {
  const Axis a = s.fresh_axis(2), b = s.fresh_axis(3);
  const std::vector<Factor> ab{{2, a.track}, {3, b.track}};
  const Axis flat = s.flatten(s.make_axis(ab), 8);
  EXPECT_EQ(flat.length, 6);
  ASSERT_EQ(s.grids().size(), 1u);
  EXPECT_EQ(s.grids()[0].whole, flat.track);
  EXPECT_EQ(s.grids()[0].node, 8);
  EXPECT_EQ(s.grids()[0].carrier, -1);
}

TEST_F(StateTest, FlatteningLockedFactorsGivesAFreeAxis) {
  const Axis a = s.fresh_axis(2);
  s.lock(a, Reason::picked, 0);
  const std::vector<Factor> parts{{2, a.track}, {3, no_track}};
  EXPECT_FALSE(s.flatten(s.make_axis(parts), 0).tracked());
}

TEST_F(StateTest, SelectTakesUnitsByIndex) {
  const Axis a = s.fresh_axis(4);
  EXPECT_EQ(classes(s.select(a, Indices{3, 0, 3}, 0)), (std::vector<int>{3, 0, 3}));
  EXPECT_FALSE(s.select(State::free_axis(4, Reason::graph_input), Indices{1}, 0).tracked());
  EXPECT_EQ(s.select(State::free_axis(4, Reason::graph_input), Indices{1}, 0).why, Reason::graph_input);
}

TEST_F(StateTest, SelectingBeyondTheAxisLocks) {
  for (std::int64_t wrong : {std::int64_t{4}, std::int64_t{-1}, INT64_MAX, INT64_MIN}) {
    const Axis a = s.fresh_axis(4);
    EXPECT_FALSE(s.select(a, Indices{0, wrong}, 0).tracked());
    EXPECT_TRUE(all_locked(a));
  }
}

TEST_F(StateTest, RangesOfSingleAndCompositeAxes) {
  const Axis a = s.fresh_axis(4), b = s.fresh_axis(3);
  EXPECT_EQ(s.range(a, 0, 4, 0).track, a.track);
  EXPECT_EQ(classes(s.range(a, 1, 3, 0)), (std::vector<int>{1, 2}));
  const std::vector<Factor> ab{{4, a.track}, {3, b.track}};
  // Whole rows of the inner factor: only the outer one is cut.
  const auto factors = s.factors(s.range(s.make_axis(ab), 3, 9, 0));
  ASSERT_EQ(factors.size(), 2u);
  EXPECT_EQ(factors[0].length, 2);
  EXPECT_EQ(factors[1].track, b.track);
  const std::vector<Factor> ac{{4, a.track}, {3, no_track}};
  EXPECT_EQ(classes(s.range(s.make_axis(ac), 2, 5, 0)), (std::vector<int>{0, 1, 1}));
}

TEST_F(StateTest, RangesBeyondTheAxisLock) {
  const std::vector<std::pair<std::int64_t, std::int64_t>> wrong{{-1, 2}, {2, 5}, {3, 1}, {INT64_MIN, INT64_MAX}};
  for (const auto& [begin, end] : wrong) {
    const Axis a = s.fresh_axis(4);
    EXPECT_FALSE(s.range(a, begin, end, 0).tracked());
    EXPECT_TRUE(all_locked(a));
  }
  const Axis nothing = s.fresh_axis(0);
  const std::vector<Factor> parts{{0, no_track}, {0, nothing.track}};
  EXPECT_FALSE(s.range(s.make_axis(parts), 0, 1, 0).tracked());  // no division by the empty factor
}

TEST_F(StateTest, ConcatJoinsAndLocksWhatIsFree) {
  const Axis a = s.fresh_axis(2);
  EXPECT_EQ(classes(s.concat(std::vector<Axis>{a, a}, 0)), (std::vector<int>{0, 1, 0, 1}));
  EXPECT_EQ(s.concat(std::vector<Axis>{a}, 0).track, a.track);
  const Axis mixed = s.concat(std::vector<Axis>{a, State::free_axis(2, Reason::graph_input)}, 6);
  const auto ids = s.ids(mixed.track);
  EXPECT_FALSE(s.locked(ids[1]));
  EXPECT_TRUE(s.locked(ids[2]));
  EXPECT_EQ(s.lock_of(ids[3])->reason, Reason::graph_input);
  EXPECT_EQ(s.lock_of(ids[3])->node, 6);
  EXPECT_FALSE(s.concat(std::vector<Axis>{State::free_axis(2), State::free_axis(1)}, 0).tracked());
}

TEST(StateBudget, WhatCostsTooMuchIsFree) {
  State s(100);
  EXPECT_FALSE(s.fresh_axis(101).tracked());
  const Axis a = s.fresh_axis(40);
  ASSERT_TRUE(a.tracked());
  EXPECT_FALSE(s.concat(std::vector<Axis>{a, a}, 0).tracked());
  EXPECT_TRUE(s.fully_locked(a.track));
  EXPECT_FALSE(s.fresh_axis(61).tracked());
  EXPECT_FALSE(s.affordable(INT64_MAX, 3));
  const Axis huge = State::free_axis(INT64_MAX);
  EXPECT_FALSE(s.concat(std::vector<Axis>{s.fresh_axis(1), huge, huge}, 0).tracked());  // the sum has no number
}

}  // namespace
}  // namespace coppice::coupling
