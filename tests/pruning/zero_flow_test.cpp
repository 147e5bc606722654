// Which cuts are exact: the removed slices, set to zero, contribute nothing to what stays.
#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "coppice/pruning/cut.hpp"

#include "support/mixing_graphs.hpp"

namespace coppice::pruning {
namespace {

using coupling::Mixing;
using Found = std::vector<std::pair<std::string, Mixing>>;

Prepared prepared(const test::MixingGraph& graph) {
  return prepare(test::build(graph).model, {.coupling = graph.options});
}

// Every second unit of every group.
std::vector<std::uint8_t> half(const coupling::Couplings& couplings) {
  std::vector<std::uint8_t> removed(couplings.units().size(), 0);
  for (const coupling::Group& group : couplings.groups())
    for (std::size_t i = 1; i < group.units.size(); i += 2) removed[static_cast<std::size_t>(group.units[i])] = 1;
  return removed;
}

class ZeroFlowIn : public testing::TestWithParam<test::MixingGraph> {};

TEST_P(ZeroFlowIn, TheNodesThatLeakAreNamed) {
  const Prepared p = prepared(GetParam());
  EXPECT_TRUE(p.problems.empty());
  const auto removed = half(p.couplings);
  ASSERT_GT(std::count(removed.begin(), removed.end(), 1), 0);
  Found expected, found;
  for (const test::Leak& leak : GetParam().leaks) expected.emplace_back(leak.op, leak.how);
  for (const Inexact& inexact : inexactness(p, removed)) {
    const graph::Node& node = p.model.graph.nodes[static_cast<std::size_t>(inexact.node)];
    found.emplace_back(node.op, inexact.how);
    EXPECT_TRUE(inexact.text.starts_with(graph::describe(p.model.graph, node) + ": ")) << inexact.text;
    EXPECT_TRUE(inexact.text.ends_with(" over removed units")) << inexact.text;
  }
  EXPECT_EQ(found, expected);
}

TEST_P(ZeroFlowIn, NothingRemovedLeaksNothing) {
  const Prepared p = prepared(GetParam());
  EXPECT_TRUE(inexactness(p, std::vector<std::uint8_t>(p.couplings.units().size(), 0)).empty());
}

TEST_P(ZeroFlowIn, LockingLeavesExactCutsAlone) {
  Prepared p = prepared(GetParam());
  const auto before = half(p.couplings);
  lock_inexact(p);
  const auto after = half(p.couplings);
  EXPECT_TRUE(inexactness(p, after).empty());
  if (GetParam().leaks.empty()) {
    EXPECT_EQ(after, before);
  } else {
    EXPECT_LT(std::count(after.begin(), after.end(), 1), std::count(before.begin(), before.end(), 1));
    for (const coupling::Unit& unit : p.couplings.units())
      EXPECT_TRUE(unit.reason != coupling::Reason::inexact || (unit.locked && unit.node >= 0));
  }
}

INSTANTIATE_TEST_SUITE_P(Graphs, ZeroFlowIn, testing::ValuesIn(test::mixing_graphs()),
                         [](const auto& instance) { return std::string(instance.param.name); });

TEST(ZeroFlow, EveryKindOfMixingIsTriedBothWays) {
  std::map<Mixing, int> exact, inexact;
  for (const test::MixingGraph& graph : test::mixing_graphs()) ++(graph.leaks.empty() ? exact : inexact)[graph.kind];
  for (int kind = 0; kind <= static_cast<int>(Mixing::state); ++kind) {
    EXPECT_GE(exact[static_cast<Mixing>(kind)], 1) << kind;
    EXPECT_GE(inexact[static_cast<Mixing>(kind)], 1) << kind;
  }
}

}  // namespace
}  // namespace coppice::pruning
