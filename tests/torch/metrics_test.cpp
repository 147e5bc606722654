#include "coppice/torch/metrics.hpp"

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace coppice {
namespace {

TEST(Metrics, OfTwoLayers) {
  torch::nn::Sequential module(torch::nn::Linear(4, 8), torch::nn::ReLU(), torch::nn::Linear(8, 2));
  {
    const at::NoGradGuard guard;
    module->parameters()[0].fill_(1);
    module->parameters()[0][0].zero_();  // 4 of 58
    module->parameters()[1].fill_(1);
    module->parameters()[2].fill_(1);
    module->parameters()[3].fill_(1);
  }
  const Metrics found = measure(module, {at::ones({1, 4})}, 0.01);
  EXPECT_EQ(found.parameters, 4 * 8 + 8 + 8 * 2 + 2);
  EXPECT_EQ(found.zeros, 4);
  EXPECT_EQ(found.macs, 4 * 8 + 8 * 2);
  EXPECT_EQ(found.dense_bytes, 58u * 4);
  EXPECT_EQ(found.effective_bytes, 54u * 4);
  EXPECT_EQ(found.peak_activation_bytes, 16u * 4);  // before and behind the ReLU
  ASSERT_TRUE(found.latency);
  EXPECT_GT(found.latency->median, 0);
  EXPECT_LE(found.latency->low, found.latency->high);
  EXPECT_TRUE(module->is_training());
  Metrics half = found;
  half.macs = 12;
  half.parameters = 29;
  EXPECT_EQ(ratio_line(found, half), "The pruned model has 0.25 the compute of the original, 0.50 the parameters.");
}

TEST(Latency, QuantilesOfElevenTimes) {
  std::vector<double> times;
  for (int i = 10; i >= 0; --i) times.push_back(i);
  const Latency found = summarize(times);
  EXPECT_EQ(found.median, 5);
  EXPECT_EQ(found.low, 1);
  EXPECT_EQ(found.high, 9);
  EXPECT_EQ(found.runs, 11);
}

TEST(Latency, WorkTakesTurns) {
  std::string order;
  const auto found = measure_latency({[&] { order += 'a'; }, [&] { order += 'b'; }}, 0);
  EXPECT_EQ(order, "ababababababab");  // two to warm up, five measured
  EXPECT_EQ(found.at(1).runs, 5);
}

}  // namespace
}  // namespace coppice
