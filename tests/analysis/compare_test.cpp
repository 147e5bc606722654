#include "coppice/analysis/compare.hpp"

#include <utility>

#include <gtest/gtest.h>

namespace coppice::analysis {
namespace {

Layers model(const std::vector<std::pair<const char*, const char*>>& rows) {
  Layers out;
  for (const auto& [op, name] : rows) {
    LayerRow row;
    row.op = op;
    row.name = name;
    row.ranked = true;
    row.shape = {1, 4};
    out.rows.push_back(row);
  }
  return out;
}

using Pairs = std::vector<std::pair<int, int>>;

Pairs matched(const Layers& a, const Layers& b) {
  Pairs out;
  for (const Pair& pair : match(a, b)) out.emplace_back(pair.a, pair.b);
  return out;
}

TEST(Match, ByName) {
  const Layers a = model({{"Conv", "c1"}, {"Relu", "r"}, {"Conv", "c2"}});
  EXPECT_EQ(matched(a, a), (Pairs{{0, 0}, {1, 1}, {2, 2}}));
}

TEST(Match, MissingLayersStandAlone) {
  const Layers a = model({{"Conv", "c1"}, {"Relu", "r"}, {"Conv", "c2"}});
  const Layers b = model({{"Conv", "c1"}, {"Pool", "p"}, {"Conv", "c2"}, {"Gemm", "g"}});
  EXPECT_EQ(matched(a, b), (Pairs{{0, 0}, {1, -1}, {-1, 1}, {2, 2}, {-1, 3}}));
}

TEST(Match, RenamedLayersPairInOrderBetweenNames) {
  const Layers a = model({{"Conv", "c1"}, {"Conv", "Conv_3"}, {"Conv", "Conv_5"}, {"Gemm", "fc"}, {"Conv", "Conv_9"}});
  const Layers b = model({{"Conv", "c1"}, {"Conv", "Conv_4"}, {"Conv", "Conv_6"}, {"Gemm", "fc"}});
  EXPECT_EQ(matched(a, b), (Pairs{{0, 0}, {1, 1}, {2, 2}, {3, 3}, {4, -1}}));
}

TEST(Match, TheSameNameWithAnotherOperatorIsAnotherLayer) {
  EXPECT_EQ(matched(model({{"Conv", "x"}}), model({{"Gemm", "x"}})), (Pairs{{0, -1}, {-1, 0}}));
}

TEST(Match, ReorderedLayersAppearOnce) {
  const Layers a = model({{"Conv", "c1"}, {"Conv", "c2"}});
  const Layers b = model({{"Conv", "c2"}, {"Conv", "c1"}});
  EXPECT_EQ(matched(a, b), (Pairs{{0, 1}, {1, 0}}));
}

TEST(Differs, OnShapeParametersMacsAndAbsence) {
  const Layers a = model({{"Conv", "c"}});
  EXPECT_FALSE(differs(a, a, {0, 0}));
  EXPECT_TRUE(differs(a, a, {0, -1}));
  Layers b = a;
  b.rows[0].shape = {1, 2};
  EXPECT_TRUE(differs(a, b, {0, 0}));
  b = a;
  b.rows[0].parameters = 3;
  EXPECT_TRUE(differs(a, b, {0, 0}));
  b = a;
  b.rows[0].macs = 3;
  EXPECT_TRUE(differs(a, b, {0, 0}));
}

}  // namespace
}  // namespace coppice::analysis
