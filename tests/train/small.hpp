#pragma once
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "coppice/data/loader.hpp"
#include "coppice/torch/libtorch.hpp"
#include "coppice/train/trainer.hpp"

namespace coppice::test {

/// Three blobs of points in eight dimensions: what a small network learns in a few steps.
inline data::DatasetPtr blobs(std::int64_t count, std::uint64_t seed = 7) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  const at::Tensor centres = at::randn({3, 8}, generator) * 2;
  const at::Tensor labels = at::arange(count, at::kLong).remainder(3);
  return std::make_shared<data::TensorDataset>(
      std::vector{centres.index_select(0, labels) + at::randn({count, 8}, generator)}, labels);
}

/// With batch norm and dropout, so that buffers and random numbers count.
inline torch::nn::Sequential small_net(std::uint64_t seed = 1) {
  torch::manual_seed(seed);
  return torch::nn::Sequential(torch::nn::Linear(8, 16), torch::nn::BatchNorm1d(16), torch::nn::ReLU(),
                               torch::nn::Dropout(0.2), torch::nn::Linear(16, 12), torch::nn::ReLU(),
                               torch::nn::Linear(12, 3));
}

/// Stops a training after this step.
struct StopAfter : Callback {
  explicit StopAfter(std::int64_t step) : at(step) {}
  void after_batch(Trainer& trainer) override {
    if (trainer.step() == at) trainer.stop();
  }
  std::int64_t at;
};

inline void expect_same(const torch::nn::Module& a, const torch::nn::Module& b) {
  const auto one = a.named_parameters(), two = b.named_parameters();
  ASSERT_EQ(one.size(), two.size());
  for (const auto& item : one) EXPECT_TRUE(item.value().equal(two[item.key()])) << item.key();
  for (const auto& item : a.named_buffers()) EXPECT_TRUE(item.value().equal(b.named_buffers()[item.key()]));
}

}  // namespace coppice::test
