#include <set>

#include <gtest/gtest.h>

#include "coupling/rules/rules.hpp"
#include "torch/executor/kernel.hpp"

namespace coppice {
namespace {

TEST(Kernels, RunEveryOperatorThatHasAnAxisRule) {
  ASSERT_GT(coupling::all_rules().size(), 150U);
  for (const coupling::RuleEntry& rule : coupling::all_rules())
    EXPECT_NE(executor::find_kernel(rule.domain, rule.op), nullptr) << rule.domain << " " << rule.op;
}

TEST(Kernels, AreEachAddedOnce) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (const executor::KernelEntry& entry : executor::all_kernels())
    EXPECT_TRUE(seen.emplace(entry.domain, entry.op).second) << entry.domain << " " << entry.op;
  EXPECT_EQ(executor::find_kernel("", "NoSuchOperator"), nullptr);
}

}  // namespace
}  // namespace coppice
