#include "coppice/pruning/prune.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/zoo/zoo.hpp"

#include "pruning/check.hpp"

namespace coppice::pruning {
namespace {

PruneOptions at_ratio(double ratio) {
  PruneOptions out;
  out.select.ratio = ratio;
  return out;
}

TEST(Prune, ReportsCountsAndPhases) {
  const PruneResult result = prune(zoo::build("mlp"), at_ratio(0.5));
  // 784 -> 256 -> 128 -> 10 becomes 784 -> 128 -> 64 -> 10.
  EXPECT_EQ(result.report.before.parameters, 784 * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10);
  EXPECT_EQ(result.report.after.parameters, 784 * 128 + 128 + 128 * 64 + 64 + 64 * 10 + 10);
  EXPECT_EQ(result.report.after.macs, 784 * 128 + 128 * 64 + 64 * 10);
  EXPECT_EQ(result.report.groups, 2);
  EXPECT_EQ(result.report.ratio, 0.5);
  EXPECT_TRUE(result.report.inexact.empty());
  EXPECT_TRUE(result.report.warnings.empty());
  EXPECT_EQ(result.report.steps, std::vector<std::int64_t>{result.report.after.parameters});
  EXPECT_EQ(result.report.constant_bytes_before - result.report.constant_bytes_after,
            4u * static_cast<std::uint64_t>(result.report.before.parameters - result.report.after.parameters));
  for (const char* phase : {"couple", "score", "select", "cut", "check"})
    EXPECT_EQ(result.report.seconds.count(phase), 1u) << phase;
}

class Recorder : public base::Progress {
 public:
  void begin(std::string_view phase, std::uint64_t) override { phases.emplace_back(phase); }
  void advance(std::uint64_t step) override { steps.push_back(step); }
  void end() override { ++ended; }
  std::vector<std::string> phases;
  std::vector<std::uint64_t> steps;
  std::size_t ended = 0;
};

TEST(Prune, TellsItsPhases) {
  Recorder recorder;
  prune(zoo::build("mlp"), at_ratio(0.5), &recorder);
  EXPECT_EQ(recorder.phases, (std::vector<std::string>{"couple", "select", "cut", "check"}));
  EXPECT_EQ(recorder.ended, recorder.phases.size());
}

TEST(Prune, TellsTheStepsOfSelecting) {
  Recorder recorder;
  PruneOptions options = at_ratio(0.5);
  options.select.steps = 3;
  prune(zoo::build("mlp"), options, &recorder);
  EXPECT_EQ(recorder.steps, (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST(Prune, ReplaysItsPlan) {
  const PruneResult first = prune(zoo::build("gpt2_tiny"), at_ratio(0.4));
  PruneOptions replay;
  replay.plan = first.plan;
  const PruneResult second = prune(zoo::build("gpt2_tiny", 1), replay);
  EXPECT_EQ(first.removed, second.removed);
  EXPECT_EQ(to_json(first.plan), to_json(second.plan));
  EXPECT_TRUE(second.report.steps.empty());
}

TEST(Prune, IsNeverASilentCopy) {
  EXPECT_THROW(prune(zoo::build("mlp"), at_ratio(0)), Error);
  PruneOptions replay;
  replay.plan = prune(zoo::build("mlp"), at_ratio(0.5)).plan;
  replay.plan->cuts.clear();
  EXPECT_THROW(prune(zoo::build("mlp"), replay), Error);
}

TEST(Prune, ExactOnlyLeavesNothingInexact) {
  PruneOptions options = at_ratio(0.5);
  EXPECT_FALSE(prune(zoo::build("gpt2_tiny"), options).report.inexact.empty());
  options.exact_only = true;
  EXPECT_TRUE(prune(zoo::build("gpt2_tiny"), options).report.inexact.empty());
}

TEST(CheckCut, FindsAConstantOfTheWrongSize) {
  PruneResult result = prune(zoo::build("mlp"), at_ratio(0.5));
  EXPECT_NO_THROW(check_cut(result.prepared, result.removed, result.model));
  graph::Graph& graph = result.model.graph;
  const graph::ValueId bias = graph.find("fc1.bias");
  ASSERT_NE(bias, graph::no_value);
  const std::vector<float> values(127, 0.0f);
  graph.set_constant(bias, tensor::Tensor::of<float>(tensor::DType::float32, {127}, values));
  EXPECT_THROW(check_cut(result.prepared, result.removed, result.model), Error);
}

TEST(CheckCut, FindsADecisionThatIsNotTheModels) {
  const PruneResult result = prune(zoo::build("mlp"), at_ratio(0.5));
  std::vector<std::uint8_t> other = result.removed;
  *std::find(other.begin(), other.end(), 1) = 0;
  EXPECT_THROW(check_cut(result.prepared, other, result.model), Error);
}

}  // namespace
}  // namespace coppice::pruning
