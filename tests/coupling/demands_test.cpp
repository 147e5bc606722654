#include "coupling/tiny.hpp"

// What the code around a graph asks for holds before it is decided what carries a cut.
namespace coppice::coupling {
namespace {

// A norm of two groups of the eight outputs of "a", as the instance norm of the groups.
void norm_of_groups(Tiny& t) {
  const ValueId h = t.conv(t.x("x", {1, 3, 2, 2}), "a", 3, 8);
  const ValueId groups = t.op("Reshape", {h, t.ints({0, 2, -1})});
  const ValueId norm = t.op("InstanceNormalization", {groups, t.w("ones", {2}), t.w("zeros", {2})});
  t.out(t.conv(t.op("Reshape", {norm, t.ints({1, 8, 2, 2})}), "c", 8, 5));
}

TEST(Demands, WithoutAnyWholeGroupsOfANormGo) {
  Tiny t;
  norm_of_groups(t);
  t.run();
  EXPECT_EQ(t.units_at("a", 0, {0, 1, 2, 3}), std::vector<std::int32_t>(4, t.unit("ones", 0, 0)));
  EXPECT_TRUE(t.open("ones", 0));
}

TEST(Demands, AFixedFactorLeavesTheCutToTheOther) {
  Tiny t;
  norm_of_groups(t);
  t.run({}, {.fixed = {{"ones", 0}}, .tied = {}});
  EXPECT_EQ(t.info("ones", 0).reason, Reason::module_code);
  EXPECT_EQ(t.units_at("a", 0, {0, 1, 2, 3}), t.units_at("a", 0, {4, 5, 6, 7}));
  EXPECT_TRUE(t.open("a", 0));
  EXPECT_NE(t.unit("a", 0, 0), t.unit("a", 0, 1));
}

void two_chains(Tiny& t, std::int64_t second) {
  const ValueId x = t.x("x", {2, 3});
  t.out(t.fc(t.fc(x, "a", 3, 4), "b", 4, 2));
  t.out(t.fc(t.fc(x, "c", 3, second), "d", second, 2));
}

TEST(Demands, TiedAxesShrinkTogether) {
  Tiny t;
  two_chains(t, 4);
  t.run({}, {.fixed = {}, .tied = {{{"a", 1}, {"d", 0}}}});
  EXPECT_EQ(t.units("a", 1), t.units("c", 1));
  EXPECT_TRUE(t.open("a", 1));
  EXPECT_NE(t.unit("a", 1, 0), t.unit("a", 1, 1));
}

TEST(Demands, AnAxisOfSeveralStretchesIsTiedInEach) {
  Tiny t;
  two_chains(t, 12);
  t.run({}, {.fixed = {}, .tied = {{{"d", 0}, {"a", 1}}}});
  for (const Indices& stretch : {Indices{0, 1, 2, 3}, Indices{4, 5, 6, 7}, Indices{8, 9, 10, 11}})
    EXPECT_EQ(t.units_at("c", 1, stretch), t.units("a", 1));
  EXPECT_TRUE(t.open("a", 1));
}

TEST(Demands, AFixedAxisHoldsWhatIsTiedToIt) {
  Tiny t;
  two_chains(t, 4);
  t.run({}, {.fixed = {{"c", 1}}, .tied = {{{"a", 1}, {"d", 0}}}});
  EXPECT_EQ(t.info("a", 1, 3).reason, Reason::module_code);
}

TEST(Demands, AxesOfDifferentLengthsCannotBeTied) {
  Tiny t;
  two_chains(t, 5);
  t.run({}, {.fixed = {}, .tied = {{{"a", 1}, {"c", 1}}}});
  EXPECT_FALSE(t.open("a", 1));
  EXPECT_FALSE(t.open("c", 1));
}

TEST(Demands, NamesThatTheGraphDoesNotHaveArePassedOver) {
  Tiny t;
  two_chains(t, 4);
  t.run({}, {.fixed = {{"e", 0}, {"a", 2}}, .tied = {{{"e", 1}, {"a", 1}, {"c", -1}}}});
  EXPECT_TRUE(t.open("a", 1));
  EXPECT_TRUE(t.open("c", 1));
  EXPECT_NE(t.unit("a", 1, 0), t.unit("c", 1, 0));
}

}  // namespace
}  // namespace coppice::coupling
