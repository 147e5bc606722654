#include <algorithm>

#include <gtest/gtest.h>

#include "coppice/sparsity/sparsifier.hpp"
#include "coppice/tensor/kernels.hpp"

#include "models.hpp"

namespace coppice::sparsity {
namespace {

using Order = std::vector<std::size_t>;

// Axis i of what comes out is axis order[i] of [O,I,H,W].
std::vector<float> reordered(const std::vector<float>& values, const tensor::Shape& shape, const Order& order) {
  const auto extent = [&](std::size_t axis) { return static_cast<std::size_t>(shape[axis]); };
  std::vector<float> out;
  out.reserve(values.size());
  std::size_t at[4];
  for (at[0] = 0; at[0] < extent(order[0]); ++at[0])
    for (at[1] = 0; at[1] < extent(order[1]); ++at[1])
      for (at[2] = 0; at[2] < extent(order[2]); ++at[2])
        for (at[3] = 0; at[3] < extent(order[3]); ++at[3]) {
          std::size_t place[4];
          for (std::size_t i = 0; i < 4; ++i) place[order[i]] = at[i];
          out.push_back(values[((place[0] * extent(1) + place[1]) * extent(2) + place[2]) * extent(3) + place[3]]);
        }
  return out;
}

// One convolution whose weight is stored in this order and turned back before it is used.
graph::Model stored_as(const Order& order, const std::vector<float>& values, const tensor::Shape& shape) {
  tensor::Shape stored;
  std::vector<std::int64_t> back(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    stored.push_back(shape[order[i]]);
    back[order[i]] = static_cast<std::int64_t>(i);
  }
  graph::Builder b("stored");
  const auto x = b.input("x", DType::float32, {{1}, {shape[1]}, {8}, {8}});
  const auto constant = b.initializer(
      "conv.weight", Tensor::of<float>(DType::float32, std::move(stored), reordered(values, shape, order)));
  const auto turned = b.op("Transpose", {constant}, {graph::attr("perm", back)}, "turn");
  b.output(b.op("Conv", {x, turned}, {}, "conv"), DType::float32, {{1}, {shape[0]}, {9 - shape[2]}, {9 - shape[3]}});
  return std::move(b).finish();
}

std::vector<float> sparse(graph::Model model, const SparsifyOptions& options) {
  Sparsifier(model, options).apply(model);
  const auto values = weight(model, "conv.weight").as<float>();
  return {values.begin(), values.end()};
}

class StoredTurned : public testing::TestWithParam<Order> {
 protected:
  const tensor::Shape shape_{8, 4, 4, 2};
  const Tensor drawn_ = drawn(shape_, 11);
  const std::vector<float> values_{drawn_.as<float>().begin(), drawn_.as<float>().end()};

  void expect_the_same(const SparsifyOptions& options, const std::string& what) {
    const auto usual = sparse(stored_as({0, 1, 2, 3}, values_, shape_), options);
    EXPECT_EQ(std::count(usual.begin(), usual.end(), 0.0f), 128) << what;
    EXPECT_EQ(sparse(stored_as(GetParam(), values_, shape_), options), reordered(usual, shape_, GetParam())) << what;
  }
};

TEST_P(StoredTurned, EveryGranularityTakesTheSameWeights) {
  for (int i = 0; i <= static_cast<int>(Granularity::shared_horizontal_slice); ++i) {
    const auto granularity = static_cast<Granularity>(i);
    expect_the_same({.sparsity = 0.5, .granularity = granularity}, std::string(to_string(granularity)));
  }
}

TEST_P(StoredTurned, RunsAlongTheInputsAreTheSame) {
  expect_the_same({.pattern = parse_pattern("2:4")}, "2:4");
}

TEST_P(StoredTurned, TilesFillTheWholeWeight) {
  graph::Model model = stored_as(GetParam(), values_, shape_);
  const auto out = sparse(std::move(model), {.sparsity = 0.5, .pattern = parse_pattern("2x4")});
  EXPECT_EQ(std::count(out.begin(), out.end(), 0.0f), 128);
}

INSTANTIATE_TEST_SUITE_P(Orders, StoredTurned, testing::Values(Order{2, 3, 1, 0}, Order{0, 2, 3, 1}, Order{0, 1, 3, 2}),
                         [](const testing::TestParamInfo<Order>& order) {
                           std::string out;
                           for (const std::size_t axis : order.param) out += "OIHW"[axis];
                           return out;
                         });

}  // namespace
}  // namespace coppice::sparsity
