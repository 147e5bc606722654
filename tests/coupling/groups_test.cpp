#include "coupling/tiny.hpp"

// A group is all units that live on the same set of sites.
namespace coppice::coupling {
namespace {

std::string text(const Tiny& t, const Group& group) {
  std::string out = std::to_string(group.units.size()) + "+" + std::to_string(group.locked);
  for (const Site& site : group.sites)
    out += " " + std::string(t.model.graph.name_of(site.constant)) + "." + std::to_string(site.axis);
  return out;
}

std::vector<std::string> texts(const Tiny& t) {
  std::vector<std::string> out;
  for (const Group& group : t.c.groups()) out.push_back(text(t, group));
  return out;
}

TEST(Groups, AChainHasOneGroupALayerBoundary) {
  Tiny t;
  ValueId h = t.op("Gemm", {t.x("x", {2, 3}), t.w("a", {3, 4}), t.w("bias", {4})});
  h = t.fc(t.op("Relu", {h}), "b", 4, 6);
  t.out(t.fc(h, "c", 6, 2));
  t.run();
  EXPECT_EQ(texts(t), (std::vector<std::string>{"0+3 a.0", "4+0 a.1 bias.0 b.0", "6+0 b.1 c.0", "0+2 c.1"}));
}

TEST(Groups, AResidualStreamIsOneGroup) {
  Tiny t;
  const ValueId h = t.fc(t.x("x", {2, 3}), "a", 3, 4);
  const ValueId y = t.op("Add", {h, t.fc(t.fc(h, "up", 4, 8), "down", 8, 4)});
  t.out(t.fc(y, "head", 4, 2));
  t.run();
  EXPECT_EQ(texts(t),
            (std::vector<std::string>{"0+3 a.0", "4+0 a.1 up.0 down.1 head.0", "8+0 up.1 down.0", "0+2 head.1"}));
}

TEST(Groups, ConcatenatedPartsStayApart) {
  Tiny t;
  const ValueId x = t.x("x", {2, 3});
  const ValueId y = t.op("Concat", {t.fc(x, "a", 3, 4), t.fc(x, "b", 3, 2)}, {attr("axis", 1)});
  t.out(t.fc(y, "c", 6, 2));
  t.run();
  // The six rows of c belong to two groups: four of them live on a, two on b.
  EXPECT_EQ(t.units_at("c", 0, {0, 1, 2, 3}), t.units("a", 1));
  EXPECT_EQ(t.units_at("c", 0, {4, 5}), t.units("b", 1));
  EXPECT_EQ(texts(t), (std::vector<std::string>{"0+3 a.0", "4+0 a.1 c.0", "0+3 b.0", "2+0 b.1 c.0", "0+2 c.1"}));
}

TEST(Groups, UnitsAndGroupsComeInOrderOfAppearance) {
  Tiny t;
  ValueId h = t.fc(t.x("x", {2, 3}), "a", 3, 4);
  t.out(t.fc(h, "b", 4, 2));
  t.run();
  std::int32_t last = -1;
  for (const Group& group : t.c.groups())
    for (std::int32_t u : group.units) {
      EXPECT_GT(u, last);
      last = u;
    }
  EXPECT_EQ(t.c.constants().size(), 2u);
  EXPECT_EQ(t.model.graph.name_of(t.c.constants()[0]), "a");
}

TEST(Groups, APartlyLockedGroupCountsBoth) {
  Tiny t;
  const ValueId h = t.fc(t.x("x", {2, 3}), "a", 3, 4);
  t.out(t.op("Gather", {h, t.b.int_scalar(1)}, {attr("axis", 1)}));
  t.out(t.fc(h, "b", 4, 2));
  t.run();
  EXPECT_EQ(texts(t)[1], "3+1 a.1 b.0");
}

// The channels at one offset in each of the four groups are one unit already; whole groups would be all of them.
TEST(Groups, ANormOverTheGroupsOfAConvolutionIsCutWithinThem) {
  Tiny t(21);
  ValueId h = t.conv(t.conv(t.x("x", {1, 3, 2, 2}), "a", 3, 8), "b", 8, 8, 4);
  h = t.op("GroupNormalization", {h, t.w("scale", {8}), t.w("bias", {8})}, {attr("num_groups", 4)});
  t.out(t.conv(h, "c", 8, 5));
  t.run();
  const auto units = t.units("b", 0);
  EXPECT_EQ(units, (std::vector<std::int32_t>{units[0], units[1], units[0], units[1], units[0], units[1], units[0],
                                              units[1]}));
  EXPECT_NE(units[0], units[1]);
  EXPECT_TRUE(t.open("b", 0, 0));
  EXPECT_TRUE(t.open("b", 0, 1));
  EXPECT_EQ(t.units("c", 1), units);
}

TEST(Groups, KeptIndicesFollowTheFactors) {
  Tiny t;
  ValueId h = t.conv(t.x("x", {1, 3, 2, 2}), "a", 3, 4);
  h = t.op("Flatten", {h});  // channels x 4 pixels
  t.out(t.fc(h, "b", 16, 2));
  t.run();
  std::vector<std::uint8_t> removed(t.c.units().size(), 0);
  removed[static_cast<std::size_t>(t.unit("a", 0, 1))] = removed[static_cast<std::size_t>(t.unit("a", 0, 3))] = 1;
  EXPECT_EQ(t.c.kept(t.axis("b", 0), removed), (Indices{0, 1, 2, 3, 8, 9, 10, 11}));
  EXPECT_EQ(t.c.kept_count(t.axis("b", 0), removed), 8);
  EXPECT_EQ(t.c.kept_count(t.axis("a", 0), removed), 2);
}

}  // namespace
}  // namespace coppice::coupling
