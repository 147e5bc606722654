#include "coppice/importance/scores.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/graph/builder.hpp"
#include "coppice/graph/infer.hpp"

namespace coppice::importance {
namespace {

using graph::attr;
using graph::DType;
using graph::Shape;
using graph::Tensor;
using graph::ValueId;
using Scores = std::vector<double>;

Tensor real(Shape shape, const std::vector<float>& values) {
  return Tensor::of<float>(DType::float32, std::move(shape), values);
}

struct Net {
  graph::Builder b{"net"};
  graph::Model model;
  coupling::Couplings couplings;
  std::vector<graph::Role> roles;

  void finish() {
    model = std::move(b).finish();
    const auto worlds = graph::choose_worlds(model, {});
    couplings = coupling::couple(model, graph::infer(model, model.graph, worlds.first), {});
    roles = graph::constant_roles(model.graph);
  }

  std::vector<std::int32_t> units(std::string_view constant, std::size_t axis) const {
    const auto track = couplings.track(couplings.axes(model.graph.find(constant))[axis].track);
    return {track.begin(), track.end()};
  }

  /// Scores along an axis of a constant.
  Scores along(std::string_view constant, std::size_t axis, const ScoreOptions& options,
               const std::vector<std::uint8_t>& removed = {}) const {
    const auto all = unit_scores(model.graph, couplings, roles, options, removed).units;
    Scores out;
    for (std::int32_t unit : units(constant, axis)) out.push_back(all[static_cast<std::size_t>(unit)]);
    return out;
  }
};

// x (1, 2) -> a (2, 3) -> norm's scale and bias -> c (3, 1): three units, members a's columns, the scale, c's rows.
Net with_norm() {
  Net n;
  const ValueId x = n.b.input("x", DType::float32, {{1, ""}, {2, ""}});
  ValueId y = n.b.op("MatMul", {x, n.b.initializer("a", real({2, 3}, {1, -2, 3, 2, 2, -3}))});
  const std::vector<float> ones(3, 1);
  y = n.b.op("BatchNormalization",
             {y, n.b.initializer("gamma", real({3}, {-3, 1, 2})), n.b.initializer("beta", real({3}, {100, 100, 100})),
              n.b.initializer("mean", real({3}, ones)), n.b.initializer("var", real({3}, ones))});
  y = n.b.op("MatMul", {y, n.b.initializer("c", real({3, 1}, {5, 6, -7}))});
  n.b.output(y, DType::float32, {{1, ""}, {1, ""}});
  n.finish();
  return n;
}

TEST(Scores, MembersAreWeightsOnBothSidesAndScales) {
  const Net n = with_norm();
  EXPECT_EQ(n.along("a", 1, {}), (Scores{(3 + 3 + 5) / 3.0, (4 + 1 + 6) / 3.0, (6 + 2 + 7) / 3.0}));
  EXPECT_EQ(n.along("c", 0, {}), n.along("a", 1, {}));
  EXPECT_EQ(n.along("a", 1, {.criterion = Criterion::l2}),
            (Scores{(5 + 9 + 25) / 3.0, (8 + 1 + 36) / 3.0, (18 + 4 + 49) / 3.0}));
  EXPECT_EQ(n.along("a", 1, {.criterion = Criterion::small_final}), (Scores{-11 / 3.0, -11 / 3.0, -5}));
}

TEST(Scores, Reductions) {
  const Net n = with_norm();
  EXPECT_EQ(n.along("a", 1, {.reduction = Reduction::sum}), (Scores{11, 11, 15}));
  EXPECT_EQ(n.along("a", 1, {.reduction = Reduction::max}), (Scores{5, 6, 7}));
  EXPECT_EQ(n.along("a", 1, {.reduction = Reduction::prod}), (Scores{45, 24, 84}));
  EXPECT_EQ(n.along("a", 1, {.reduction = Reduction::first}), (Scores{3, 4, 6}));
}

TEST(Scores, Normalisers) {
  const Net n = with_norm();
  const ScoreOptions options{.reduction = Reduction::first, .normalizer = Normalizer::sum};
  EXPECT_EQ(n.along("a", 1, options), (Scores{3 / 13.0, 4 / 13.0, 6 / 13.0}));
  // LAMP over the squared sums of the first member: 5, 8, 18.
  EXPECT_EQ(n.along("a", 1, {.criterion = Criterion::lamp, .reduction = Reduction::first}),
            (Scores{5 / 31.0, 8 / 26.0, 1}));
}

TEST(Scores, BatchNormScalesAlone) {
  const Net n = with_norm();
  EXPECT_EQ(n.along("a", 1, {.criterion = Criterion::bn_scale}), (Scores{3, 1, 2}));
}

TEST(Scores, WhatNothingMeasuresIsTold) {
  const auto unmeasured = [](const Net& n, const ScoreOptions& options) {
    return unit_scores(n.model.graph, n.couplings, n.roles, options).unmeasured;
  };
  const Net n = with_norm();
  const auto group = n.couplings.units()[static_cast<std::size_t>(n.units("a", 1)[0])].group;
  EXPECT_TRUE(unmeasured(n, {}).empty());
  EXPECT_TRUE(unmeasured(n, {.criterion = Criterion::bn_scale}).empty());
  const ScoreOptions none{.measure = [](const coupling::Site&) { return Scores(); }};
  EXPECT_EQ(unmeasured(n, none), std::vector<std::int32_t>{group});
  EXPECT_EQ(n.along("a", 1, none), (Scores{0, 0, 0}));
  // Zeros are a measure.
  EXPECT_TRUE(unmeasured(n, {.measure = [](const coupling::Site&) { return Scores{0, 0, 0}; }}).empty());

  Net plain;
  ValueId y = plain.b.input("x", DType::float32, {{1, ""}, {2, ""}});
  y = plain.b.op("MatMul", {y, plain.b.initializer("a", real({2, 3}, {1, -2, 3, 2, 2, -3}))});
  y = plain.b.op("MatMul", {y, plain.b.initializer("c", real({3, 1}, {5, 6, -7}))});
  plain.b.output(y, DType::float32, {{1, ""}, {1, ""}});
  plain.finish();
  EXPECT_EQ(unmeasured(plain, {.criterion = Criterion::bn_scale}).size(), 1u);
  EXPECT_TRUE(unmeasured(plain, {.criterion = Criterion::random}).empty());
}

TEST(Scores, DistancesOfOutputSlices) {
  const Net n = with_norm();
  // Columns (1, 2), (-2, 2), (3, -3).
  const double ab = 3, ac = std::sqrt(29.0), bc = std::sqrt(50.0);
  const Scores found = n.along("a", 1, {.criterion = Criterion::fpgm});
  ASSERT_EQ(found.size(), 3u);
  EXPECT_NEAR(found[0], ab + ac, 1e-9);
  EXPECT_NEAR(found[1], ab + bc, 1e-9);
  EXPECT_NEAR(found[2], ac + bc, 1e-9);
}

TEST(Scores, RandomFollowsTheSeedAlone) {
  const Net n = with_norm();
  const Scores first = n.along("a", 1, {.criterion = Criterion::random, .seed = 7});
  EXPECT_EQ(first, n.along("a", 1, {.criterion = Criterion::random, .seed = 7}));
  EXPECT_NE(first, n.along("a", 1, {.criterion = Criterion::random, .seed = 8}));
  std::vector<std::uint8_t> removed(n.couplings.units().size(), 0);
  removed[static_cast<std::size_t>(n.units("a", 1)[0])] = 1;
  const Scores later = n.along("a", 1, {.criterion = Criterion::random, .seed = 7}, removed);
  EXPECT_EQ(later, (Scores{0, first[1], first[2]}));
}

TEST(Scores, RemovedSlicesDoNotCount) {
  Net n;
  const ValueId x = n.b.input("x", DType::float32, {{1, ""}, {1, ""}});
  ValueId y = n.b.op("MatMul", {x, n.b.initializer("a", real({1, 3}, {1, 2, 3}))});
  y = n.b.op("MatMul", {y, n.b.initializer("b", real({3, 2}, {10, 20, 1, 2, 3, 4}))});
  y = n.b.op("MatMul", {y, n.b.initializer("c", real({2, 1}, {1, 1}))});
  n.b.output(y, DType::float32, {{1, ""}, {1, ""}});
  n.finish();
  const ScoreOptions options{.reduction = Reduction::sum};
  EXPECT_EQ(n.along("b", 1, options), (Scores{14 + 1, 26 + 1}));
  EXPECT_EQ(n.along("b", 0, options), (Scores{1 + 30, 2 + 3, 3 + 7}));
  std::vector<std::uint8_t> removed(n.couplings.units().size(), 0);
  removed[static_cast<std::size_t>(n.units("b", 0)[0])] = 1;
  EXPECT_EQ(n.along("b", 1, options, removed), (Scores{4 + 1, 6 + 1}));
  EXPECT_EQ(n.along("b", 0, options, removed), (Scores{0, 2 + 3, 3 + 7}));
}

// What is kept of a matrix this large is not copied at once.
TEST(Scores, RemovedSlicesOfALargeMatrixDoNotCount) {
  constexpr std::int64_t rows = 5000, columns = 4000;
  std::vector<float> values(rows * columns);
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t k = 0; k < columns; ++k)
      values[static_cast<std::size_t>(i * columns + k)] = static_cast<float>(i % 7 + k % 3);
  const std::vector<float> zeros(rows, 0);
  Net n;
  const ValueId x = n.b.input("x", DType::float32, {{1, ""}, {1, ""}});
  ValueId y = n.b.op("MatMul", {x, n.b.initializer("a", real({1, rows}, zeros))});
  y = n.b.op("MatMul", {y, n.b.initializer("b", real({rows, columns}, values))});
  y = n.b.op("MatMul", {y, n.b.initializer("c", real({columns, 1}, {zeros.begin(), zeros.begin() + columns}))});
  n.b.output(y, DType::float32, {{1, ""}, {1, ""}});
  n.finish();
  std::vector<std::uint8_t> removed(n.couplings.units().size(), 0);
  const auto row = n.units("b", 0), column = n.units("b", 1);
  for (std::int64_t i = 1; i < rows; i += 2) removed[static_cast<std::size_t>(row[static_cast<std::size_t>(i)])] = 1;
  for (std::int64_t k = 0; k < columns; k += 4)
    removed[static_cast<std::size_t>(column[static_cast<std::size_t>(k)])] = 1;
  double of_rows = 0, of_columns = 0;  // the kept rows' i % 7, the kept columns' k % 3
  for (std::int64_t i = 0; i < rows; i += 2) of_rows += static_cast<double>(i % 7);
  for (std::int64_t k = 0; k < columns; ++k) of_columns += k % 4 == 0 ? 0 : static_cast<double>(k % 3);
  const ScoreOptions options{.reduction = Reduction::sum};
  const Scores by_row = n.along("b", 0, options, removed), by_column = n.along("b", 1, options, removed);
  for (std::size_t i = 0; i < rows; ++i)
    ASSERT_EQ(by_row[i], i % 2 ? 0 : static_cast<double>(i % 7) * (columns - columns / 4) + of_columns) << i;
  for (std::size_t k = 0; k < columns; ++k)
    ASSERT_EQ(by_column[k], k % 4 == 0 ? 0 : static_cast<double>(k % 3) * (rows / 2) + of_rows) << k;
}

TEST(Scores, AUnitOwnsAllItsIndices) {
  // Two groups of two channels: offset j owns the outputs j and j + 2, and the stem's the same.
  Net n;
  const ValueId x = n.b.input("x", DType::float32, {{1, ""}, {1, ""}, {1, ""}, {1, ""}});
  ValueId y = n.b.op("Conv", {x, n.b.initializer("stem", real({4, 1, 1, 1}, {1, 2, 3, 4}))});
  y = n.b.op("Conv", {y, n.b.initializer("grouped", real({4, 2, 1, 1}, {1, 10, 1, 10, 1, 10, 1, 10}))},
             {attr("group", 2)});
  y = n.b.op("Conv", {y, n.b.initializer("head", real({1, 4, 1, 1}, {0, 0, 0, 100}))});
  n.b.output(y, DType::float32, {{1, ""}, {1, ""}, {1, ""}, {1, ""}});
  n.finish();
  // The stem's offsets are the inner axis of the grouped weight; its outputs are the head's inputs.
  EXPECT_EQ(n.along("grouped", 1, {.reduction = Reduction::sum}), (Scores{1 + 3 + 4, 2 + 4 + 40}));
  EXPECT_EQ(n.along("grouped", 0, {.reduction = Reduction::sum}), (Scores{22 + 0, 22 + 100, 22 + 0, 22 + 100}));
}

TEST(Scores, QuantisedWeightsCountAsTheNumbersTheyStandFor) {
  Net n;
  const ValueId x = n.b.input("x", DType::float32, {{1, ""}, {2, ""}});
  const std::vector<std::uint8_t> cells{11, 20, 9, 22}, zeros{10, 20};
  const ValueId q = n.b.initializer("q", Tensor::of<std::uint8_t>(DType::uint8, {2, 2}, cells));
  const ValueId zero = n.b.initializer("zero", Tensor::of<std::uint8_t>(DType::uint8, {2}, zeros));
  const ValueId scale = n.b.initializer("scale", real({2}, {0.5f, 4}));
  ValueId y = n.b.op("MatMul", {x, n.b.op("DequantizeLinear", {q, scale, zero}, {attr("axis", 1)})});
  y = n.b.op("MatMul", {y, n.b.initializer("c", real({2, 1}, {0, 0}))});
  n.b.output(y, DType::float32, {{1, ""}, {1, ""}});
  n.finish();
  // Columns (0.5, -0.5) and (0, 8).
  EXPECT_EQ(n.along("q", 1, {.reduction = Reduction::first}), (Scores{1, 8}));
  EXPECT_EQ(n.along("q", 1, {.criterion = Criterion::l2, .reduction = Reduction::first}), (Scores{0.5, 64}));
  const double distance = std::sqrt(0.25 + 8.5 * 8.5);
  const Scores found = n.along("q", 1, {.criterion = Criterion::fpgm, .reduction = Reduction::first});
  EXPECT_NEAR(found[0], distance, 1e-9);
  EXPECT_NEAR(found[1], distance, 1e-9);
}

TEST(Scores, BiasesCountWhereThereIsNothingElse) {
  // Channels that come from learned positions alone.
  Net n;
  const ValueId x = n.b.input("x", DType::float32, {{1, ""}, {1, ""}});
  const ValueId y =
      n.b.op("Add", {n.b.op("Expand", {x, n.b.ints({1, 3})}), n.b.initializer("p", real({3}, {3, 1, -2}))});
  n.b.output(n.b.op("ReduceSum", {y, n.b.ints({1})}), DType::float32, {{1, ""}, {1, ""}});
  n.finish();
  EXPECT_EQ(n.along("p", 0, {}), (Scores{3, 1, 2}));
}

std::string refusal(const Net& n, std::string_view constant, const ScoreOptions& options) {
  try {
    n.along(constant, 1, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// x (1, 2) -> broken (2, 3) -> b (3, 1).
Net broken(const Tensor& weight) {
  Net n;
  const ValueId x = n.b.input("x", DType::float32, {{1, ""}, {2, ""}});
  ValueId y = n.b.op("MatMul", {x, n.b.initializer("broken", weight)});
  y = n.b.op("MatMul", {y, n.b.initializer("b", real({3, 1}, {1, 1, 1}))});
  n.b.output(y, DType::float32, {{1, ""}, {1, ""}});
  n.finish();
  return n;
}

TEST(Scores, NumbersThatAreNotFiniteAreNamed) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const std::string start = "initializer \"broken\": expected finite numbers to score, found ";
  const std::string rest = "; --ignore the layers that it joins, or take --criterion random";
  // The first in memory is named, although a later one stands at a lower column.
  const Net first = broken(real({2, 3}, {1, 1, nan, -inf, 1, 1}));
  EXPECT_EQ(refusal(first, "broken", {}), start + "nan at [0, 2]" + rest);
  EXPECT_EQ(refusal(first, "broken", {.criterion = Criterion::fpgm}), start + "nan at [0, 2]" + rest);
  EXPECT_EQ(refusal(first, "broken", {.criterion = Criterion::random}), "");
  const Net second = broken(real({2, 3}, {1, 1, 1, 1, -inf, nan}));
  EXPECT_EQ(refusal(second, "broken", {}), start + "an infinity at [1, 1]" + rest);
}

TEST(Scores, FiniteNumbersMayAddUpToTooMuch) {
  const std::vector<double> huge(6, 1e308);
  const Net n = broken(Tensor::of<double>(DType::float64, {2, 3}, huge));
  EXPECT_NE(refusal(n, "broken", {}).find("found a sum too large;"), std::string::npos) << refusal(n, "broken", {});
}

}  // namespace
}  // namespace coppice::importance
