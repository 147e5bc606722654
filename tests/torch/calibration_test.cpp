#include "coppice/torch/calibration.hpp"

#include <list>

#include <gtest/gtest.h>
#include <torch/data.h>

namespace coppice {
namespace {

using Data = std::vector<std::pair<at::Tensor, at::Tensor>>;

// First elements of inputs and targets.
std::vector<std::pair<double, double>> seen(const BatchSource& source, std::size_t most = 100) {
  std::vector<std::pair<double, double>> out;
  source.for_each([&](const Batch& batch) {
    const double target = batch.target.defined() ? batch.target.flatten()[0].item<double>() : -1;
    out.emplace_back(batch.inputs.at(0).flatten()[0].item<double>(), target);
    return out.size() < most;
  });
  return out;
}

at::Tensor full(double value) {
  return at::full({2, 1}, value);
}

TEST(BatchSource, GoesThroughAnythingIterable) {
  const std::vector<std::pair<double, double>> expected{{1, 2}, {3, 4}};
  const std::vector<Batch> batches{{{full(1)}, full(2)}, {{full(3)}, full(4)}};
  EXPECT_EQ(seen(batches), expected);
  EXPECT_EQ(seen(std::vector<Batch>(batches)), expected);
  const Data pairs{{full(1), full(2)}, {full(3), full(4)}};
  EXPECT_EQ(seen(pairs), expected);
  EXPECT_EQ(seen(std::list<torch::data::Example<>>{{full(1), full(2)}, {full(3), full(4)}}), expected);
  const std::vector<std::pair<std::vector<at::Tensor>, at::Tensor>> several{{{full(1), full(9)}, full(2)}};
  EXPECT_EQ(seen(several), (std::vector<std::pair<double, double>>{{1, 2}}));
  EXPECT_EQ(seen(std::vector<at::Tensor>{full(5)}), (std::vector<std::pair<double, double>>{{5, -1}}));
  EXPECT_TRUE(seen(BatchSource()).empty());
}

TEST(BatchSource, StopsAndStartsAnew) {
  const Data pairs{{full(1), full(2)}, {full(3), full(4)}};
  const BatchSource source(pairs);
  EXPECT_EQ(seen(source, 1).size(), 1U);
  EXPECT_EQ(seen(source).size(), 2U);
  EXPECT_EQ(seen(BatchSource(source)).size(), 2U);
}

TEST(BatchSource, ReadsADataLoaderAgainAfterStopping) {
  const at::Tensor x = at::arange(6, at::kFloat).reshape({6, 1});
  std::vector<torch::data::Example<>> examples;
  for (std::int64_t i = 0; i < 6; ++i) examples.emplace_back(x[i], x[i] + 10);
  struct Listed : torch::data::datasets::Dataset<Listed> {
    explicit Listed(std::vector<torch::data::Example<>> list) : list_(std::move(list)) {}
    torch::data::Example<> get(std::size_t index) override { return list_[index]; }
    torch::optional<std::size_t> size() const override { return list_.size(); }
    std::vector<torch::data::Example<>> list_;
  };
  for (const std::size_t workers : {0, 2}) {
    const auto options = torch::data::DataLoaderOptions().batch_size(2).workers(workers);
    auto lists = torch::data::make_data_loader<torch::data::samplers::SequentialSampler>(Listed(examples), options);
    auto stacked = torch::data::make_data_loader<torch::data::samplers::SequentialSampler>(
        Listed(examples).map(torch::data::transforms::Stack<>()), options);
    for (int round = 0; round < 2; ++round) {
      EXPECT_EQ(seen(*lists, 2), (std::vector<std::pair<double, double>>{{0, 10}, {2, 12}}));
      EXPECT_EQ(seen(*stacked, 2), (std::vector<std::pair<double, double>>{{0, 10}, {2, 12}}));
    }
    EXPECT_EQ(seen(*stacked).size(), 3U);
  }
}

}  // namespace
}  // namespace coppice
