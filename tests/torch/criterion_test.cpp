#include "coppice/torch/criterion.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/pruning/cut.hpp"
#include "coppice/pruning/select.hpp"

#include "cli/torch_criteria.hpp"
#include "torch/two_layers.hpp"

namespace coppice {
namespace {

using Numbers = std::vector<double>;

void expect_near(const Numbers& found, const Numbers& expected, const std::string& what) {
  ASSERT_EQ(found.size(), expected.size()) << what;
  for (std::size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], 1e-6 * std::abs(expected[i])) << what << " at " << i;
}

struct Case {
  ReadyCriterion criterion;
  Numbers columns_of_a, rows_of_b;  // of the hidden units
};

// Mean gradients: A 1 -0.5 / 2 -1, B 3.5 3. Mean squares: A 2 0.5 / 8 2, B 18.5 34.
TEST(Criterion, FromGradientsByHand) {
  const pruning::Prepared prepared = two_layers();
  const std::vector<Case> cases{
      {gradient, {1 + 2, 0.5 + 1}, {3.5, 3}},
      {taylor, {1 + 6, 1 + 4}, {7, 3}},
      {taylor_multi_variable, {1.0 + 6.0, std::abs(1.0 - 4.0)}, {7, 3}},
      {hessian, {1 * 2 + 9 * 8, 4 * 0.5 + 16 * 2}, {4 * 18.5, 34}},
      {obd, {37, 17}, {37, 17}},
      {snip, {7 / 22.0, 5 / 22.0}, {7 / 22.0, 3 / 22.0}},  // 1 + 1 + 6 + 4 + 7 + 3 = 22
  };
  for (const Case& c : cases) {
    expect_near(measured(prepared, c.criterion, two_samples(), "A", 1), c.columns_of_a, std::string(c.criterion.name));
    expect_near(measured(prepared, c.criterion, two_samples(), "B", 0), c.rows_of_b, std::string(c.criterion.name));
  }
}

TEST(Criterion, FromActivationsByHand) {
  const pruning::Prepared prepared = two_layers();
  // Hidden units: sqrt((1 + 36) / 2) and sqrt((4 + 64) / 2). Only the layer that makes them is measured.
  expect_near(measured(prepared, activation_norm, two_samples(), "A", 1), {std::sqrt(18.5), std::sqrt(34)}, "A");
  EXPECT_TRUE(measured(prepared, activation_norm, two_samples(), "B", 0).empty());
  // Inputs: sqrt(1 / 2) and sqrt(4 / 2).
  const double low = std::sqrt(0.5), high = std::sqrt(2);
  expect_near(measured(prepared, activation_magnitude, two_samples(), "A", 1), {low + 3 * high, 2 * low + 4 * high},
              "A");
  expect_near(measured(prepared, activation_magnitude, two_samples(), "B", 0), {2 * std::sqrt(18.5), std::sqrt(34)},
              "B");
}

TEST(Criterion, FromInitialWeightsByHand) {
  const pruning::Prepared prepared = two_layers();
  const NamedTensors initial{{"A", numbers({2, 1, -1, -4}, {2, 2})}, {"B", numbers({-2, 3}, {2, 1})}};
  const std::vector<Case> cases{
      {large_init, {3, 5}, {2, 3}},
      {small_init, {-3, -5}, {-2, -3}},
      {large_init_large_final, {1 + 1, 1 + 4}, {2, 1}},
      {small_init_small_final, {-2 - 3, -2 - 4}, {-2, -3}},
      {magnitude_increase, {-1 + 2, 1 + 0}, {0, -2}},
      {movement, {1 + 4, 3 + 8}, {4, 4}},
      {movmag, {1 + 12, 6 + 32}, {8, 4}},
      {updating_magnitude_increase, {1, 1}, {0, -2}},
      {updating_movement, {5, 11}, {4, 4}},
      {updating_movmag, {13, 38}, {8, 4}},
  };
  for (const Case& c : cases) {
    const std::string name(c.criterion.name);
    expect_near(measured(prepared, c.criterion, {}, "A", 1, initial), c.columns_of_a, name);
    expect_near(measured(prepared, c.criterion, {}, "B", 0, initial), c.rows_of_b, name);
    EXPECT_EQ(c.criterion.options.updating, name.starts_with("updating_"));
  }
}

TEST(Criterion, OfTheUsersOwn) {
  const pruning::Prepared prepared = two_layers();
  // The one of docs/criteria.md.
  const Criterion squared_taylor("squared_taylor", [](const WeightView& w) { return (w.weight * w.gradient).square(); },
                                 {.gradient = true});
  expect_near(measured(prepared, squared_taylor, two_samples(), "A", 1), {1 + 36, 1 + 16}, "A");
  expect_near(measured(prepared, squared_taylor, two_samples(), "B", 0), {49, 9}, "B");
  const Criterion row_sums("row_sums",
                           [](const WeightView& w) {
                             EXPECT_EQ(w.input_axis, 0);
                             return w.weight.sum(w.input_axis);
                           },
                           {.channels = true});
  expect_near(measured(prepared, row_sums, {}, "A", 1), {4, 2}, "A");
  EXPECT_TRUE(measured(prepared, row_sums, {}, "B", 0).empty());
}

// y = v . gamma * (w x) with w = 1 -1, gamma = 2 3, v = 1 1, x = 1: the gradient of gamma is 1 -1.
TEST(Criterion, BatchNormCountsUnderTaylor) {
  graph::Builder b("norm");
  graph::ValueId x = b.input("x", graph::DType::float32, {{-1, "batch"}, {1, {}}, {1, {}}, {1, {}}});
  x = b.op("Conv", {x, b.initializer("w", pruning::real({2, 1, 1, 1}, {1, -1}))});
  x = b.op("BatchNormalization",
           {x, b.initializer("gamma", pruning::real({2}, {2, 3})), b.initializer("beta", pruning::filled({2}, 0)),
            b.initializer("mean", pruning::filled({2}, 0)), b.initializer("var", pruning::filled({2}, 1))},
           {graph::attr("epsilon", 0.0f)});
  x = b.op("Conv", {x, b.initializer("v", pruning::filled({1, 2, 1, 1}))});
  b.output(x, graph::DType::float32, {{-1, "batch"}, {1, {}}, {1, {}}, {1, {}}});
  const pruning::Prepared prepared = pruning::prepare(std::move(b).finish());
  const std::vector<Batch> batches{{{at::ones({1, 1, 1, 1})}, at::zeros({1})}};
  const Calibration calibration{.data = batches, .loss = mean_loss};
  expect_near(measured(prepared, taylor, calibration, "gamma", 0), {2, 3}, "gamma");
  expect_near(measured(prepared, taylor, calibration, "w", 0), {2, 3}, "w");
  expect_near(measured(prepared, taylor, calibration, "v", 1), {2, 3}, "v");
  expect_near(measured(prepared, hessian, calibration, "gamma", 0), {4, 9}, "gamma");
  // A norm has no output channels of its own, and batch norm stands behind the layer.
  EXPECT_TRUE(measured(prepared, activation_norm, calibration, "gamma", 0).empty());
  expect_near(measured(prepared, activation_norm, calibration, "w", 0), {1, 1}, "w");
}

TEST(Criterion, WeightsOnlyIsLeftToTheCore) {
  const pruning::Prepared prepared = two_layers();
  EXPECT_FALSE(make_measure(large_final, prepared, {}, {}));
  EXPECT_EQ(Criterion(lamp).weights_only(), importance::Criterion::lamp);
  EXPECT_FALSE(Criterion(taylor).weights_only());
}

TEST(Criterion, EveryNameIsParsed) {
  EXPECT_EQ(criterion_names().size(), 25U);
  for (const std::string_view name : criterion_names()) EXPECT_EQ(parse_criterion(name).name(), name);
  try {
    parse_criterion("tailor");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("found 'tailor'; nearest: taylor"), std::string::npos) << error.what();
  }
  EXPECT_THROW(Criterion("none", nullptr), Error);
  // The command line knows them without libtorch.
  for (const cli::TorchCriterion& known : cli::torch_criteria()) {
    const CriterionOptions options = parse_criterion(known.name).options();
    EXPECT_EQ(options.needs_loss(), known.needs == cli::Needs::gradients) << known.name;
    EXPECT_EQ(options.needs_data() && !options.needs_loss(), known.needs == cli::Needs::activations) << known.name;
    EXPECT_EQ(options.initial, known.needs == cli::Needs::snapshot) << known.name;
  }
}

// Each unit counts with the mean of its members: A's columns and B's rows.
TEST(Criterion, ChoosesWhatGoes) {
  pruning::Prepared prepared = two_layers();
  pruning::SelectOptions options{.ratio = 0.5};
  options.measure = [](const pruning::Prepared& whole, std::span<const std::uint8_t> removed) {
    GraphModule module(pruning::twin(whole, removed));
    return make_measure(hessian, whole, removed, collect(module, whole, hessian.options, two_samples()));
  };
  const pruning::Selection selection = pruning::select(prepared, options);
  EXPECT_EQ(pruning::kept(prepared, "A", 1, selection.removed), std::vector<std::int64_t>{0});
  const coupling::Axis& axis = prepared.couplings.axes(prepared.model.graph.find("A"))[1];
  const auto units = prepared.couplings.track(axis.track);
  EXPECT_NEAR(selection.scores.at(static_cast<std::size_t>(units[0])), 74, 1e-4);
  EXPECT_NEAR(selection.scores.at(static_cast<std::size_t>(units[1])), 34, 1e-4);
}

}  // namespace
}  // namespace coppice
