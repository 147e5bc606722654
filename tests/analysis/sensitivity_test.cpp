#include "coppice/analysis/sensitivity.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "coppice/analysis/layer_ratios.hpp"
#include "coppice/base/error.hpp"
#include "coppice/pruning/prune.hpp"
#include "coppice/zoo/zoo.hpp"

#include "analysis/ratio_rows.hpp"
#include "support/message.hpp"

namespace coppice::analysis {
namespace {

using test::message;

SensitivityRow row(std::vector<std::string> layers, std::vector<std::optional<double>> values) {
  SensitivityRow out{.layers = std::move(layers), .units = 8};
  double ratio = 0.25;
  for (const auto& value : values) {
    out.points.push_back({.ratio = ratio, .removed = value ? 2 : 0, .value = value, .parameters = 100, .macs = 1000});
    ratio += 0.25;
  }
  return out;
}

// Accuracies after a quarter and half of the units; mean drops 0.1, 0.2 and 0.5.
Sensitivity example() {
  Sensitivity out{.metric = "accuracy", .baseline = 0.9, .samples = 1000, .ratios = {0.25, 0.5}};
  out.rows = {row({"a"}, {0.85, 0.75}), row({"b", "b2"}, {0.75, 0.65}), row({"c"}, {0.5, 0.3})};
  out.rows.push_back({.layers = {"fc"}, .reason = "leaves with a graph output"});
  return out;
}

TEST(Sensitivity, MeansTheDropOverWhatWasMeasured) {
  Sensitivity s = example();
  EXPECT_NEAR(s.drop(s.rows[0]), 0.1, 1e-12);
  EXPECT_NEAR(s.drop(s.rows[2]), 0.5, 1e-12);
  s.rows[2].points[0].value.reset();
  EXPECT_NEAR(s.drop(s.rows[2]), 0.6, 1e-12);
  s.higher_is_better = false;  // a loss that falls is no drop
  EXPECT_NEAR(s.drop(s.rows[0]), -0.1, 1e-12);
}

TEST(Sensitivity, GoesThroughJson) {
  const Sensitivity s = example();
  const Sensitivity again = Sensitivity::parse(s.json());
  EXPECT_EQ(again.json(), s.json());
  EXPECT_EQ(again.text(), s.text());
  EXPECT_NE(s.json().find("\"difference\": -0.4"), std::string::npos);
}

TEST(Sensitivity, PrintsATable) {
  EXPECT_EQ(example().text(),
            "accuracy 0.9000 on 1,000 samples; what it changes by when a share of one group goes\n"
            "\n"
            "group  units     25 %     50 %\n"
            "------------------------------\n"
            "a          8  -0.0500  -0.1500\n"
            "b, b2      8  -0.1500  -0.2500\n"
            "c          8  -0.4000  -0.6000\n"
            "\n"
            "could not be cut  because\n"
            "--------------------------------------------\n"
            "fc                leaves with a graph output\n");
  Sensitivity wide = example();
  wide.rows[1].layers[0] = std::string(100, 'b');
  for (int i = 0; i < 10; ++i) wide.ratios.push_back(0.5 + 0.01 * i);
  const std::string text = wide.text();
  for (std::size_t begin = 0; begin < text.size(); begin = text.find('\n', begin) + 1)
    EXPECT_LE(text.find('\n', begin) - begin, 84U);  // in bytes; an ellipsis has three
}

TEST(Sensitivity, RefusesWhatItDidNotWrite) {
  const auto refusal = [](const std::string& json) { return message([&] { Sensitivity::parse(json); }); };
  EXPECT_EQ(refusal("{}"), "sensitivity: expected an object with \"coppice_sensitivity\", found none");
  EXPECT_EQ(refusal("[1]"), "sensitivity: expected an object with \"coppice_sensitivity\", found none");
  EXPECT_EQ(refusal(R"({"coppice_sensitivity": 2})"), "sensitivity: expected version 1, found 2");
  EXPECT_NE(refusal("{"), "no error");
  EXPECT_NE(refusal(R"({"coppice_sensitivity": 1, "metric": 5})"), "no error");
  std::string json = example().json();
  json.replace(json.find("\"ratio\": 0.25"), 13, "\"ratio\": 1.25");
  EXPECT_EQ(refusal(json), "sensitivity: expected ratios above 0 and below 1, found 1.250000");
}

TEST(LayerRatios, FollowTheFormula) {
  // norms 0, 1/4 and 1
  const LayerRatios plain = layer_ratios(example(), 0, {.least = 0.1, .most = 0.9});
  EXPECT_EQ(plain.size(), 4U);
  EXPECT_NEAR(plain.at("a"), 0.9, 1e-12);
  EXPECT_NEAR(plain.at("b"), 0.1 + 0.8 * 0.75, 1e-12);
  EXPECT_EQ(plain.at("b2"), plain.at("b"));
  EXPECT_NEAR(plain.at("c"), 0.1, 1e-12);
  const LayerRatios bent = layer_ratios(example(), -0.2, {.least = 0.1, .most = 0.9, .gamma = 2});
  EXPECT_NEAR(bent.at("a"), 0.7, 1e-12);
  EXPECT_NEAR(bent.at("b"), 0.1 + 0.8 * 0.5625 - 0.2, 1e-12);
  EXPECT_NEAR(bent.at("c"), 0.1, 1e-12);  // cut to the least
  Sensitivity same = example();
  same.rows.resize(1);
  EXPECT_NEAR(layer_ratios(same, -0.5).at("a"), 0.4, 1e-12);
}

TEST(LayerRatios, MeetAnyCost) {
  const auto left = [](const LayerRatios& ratios) {
    return 1 - (ratios.at("a") + ratios.at("b") + ratios.at("c")) / 3;
  };
  // 0.9, 0.675 and 0 have the mean 0.525; 0.025 more of the mean with the first at its end: b and c take 0.0375 each.
  const LayerRatios ratios = layer_ratios(example(), left, 0.45);
  EXPECT_NEAR(ratios.at("a"), 0.9, 1e-8);
  EXPECT_NEAR(ratios.at("b"), 0.675 + 0.0375, 1e-8);
  EXPECT_NEAR(ratios.at("c"), 0.0375, 1e-8);
  EXPECT_LE(left(ratios), 0.45);
  EXPECT_EQ(message([&] { layer_ratios(example(), left, 0.05); }),
            "layer ratios: expected a way to keep 5 %, found that with 90 % of every layer gone 10 % is left");
  EXPECT_EQ(message([&] { layer_ratios(example(), 0, {.least = 0.5, .most = 0.2}); }),
            "layer ratios: expected 0 <= least <= most < 1, found 0.5 and 0.2");
  EXPECT_EQ(message([] { layer_ratios(Sensitivity{}, 0); }),
            "layer ratios: expected groups whose sensitivity was measured, found none");
}

/// Drops that differ from row to row.
Sensitivity drawn(const pruning::Prepared& prepared) {
  Sensitivity out{.metric = "loss", .higher_is_better = false, .baseline = 1, .samples = 1, .ratios = {0.5}};
  int i = 0;
  for (const RatioRow& r : ratio_rows(prepared)) {
    SensitivityRow entry{.layers = r.layers, .units = r.units, .reason = r.reason};
    if (r.reason.empty()) entry.points.push_back({.ratio = 0.5, .removed = 1, .value = 1 + std::fmod(0.37 * ++i, 1.0)});
    out.rows.push_back(std::move(entry));
  }
  return out;
}

TEST(LayerRatios, MeetTheCountOfTheCut) {
  for (const char* const name : {"resnet18", "mobilenet_v2", "gpt2_tiny", "shufflenet_v2_x1_0", "llama_tiny"}) {
    SCOPED_TRACE(name);
    const graph::Model model = zoo::build(name);
    pruning::PruneOptions options;
    options.select.target_macs = 0.6;
    const pruning::Prepared prepared = pruning::prepare(model, options.prepare);
    const Sensitivity s = drawn(prepared);
    const LayerRatios ratios = layer_ratios(s, prepared, options.select);
    EXPECT_GT(ratios.size(), 3U);
    options.select.target_macs.reset();
    options.select.layers.assign(ratios.begin(), ratios.end());
    const pruning::PruneReport report = pruning::prune(model, options).report;
    EXPECT_LE(report.after.macs, 0.6 * report.before.macs);
    EXPECT_GT(report.after.macs, 0.5 * report.before.macs);
    // A little less from every layer would not do.
    for (auto& [layer, ratio] : options.select.layers) ratio = std::max(0.0, ratio - 0.03);
    EXPECT_GT(pruning::prune(model, options).report.after.macs, 0.6 * report.before.macs);
  }
}

TEST(LayerRatios, LeaveLockedLayersOut) {
  const graph::Model model = zoo::build("resnet18");
  pruning::Prepared prepared = pruning::prepare(model);
  const Sensitivity s = drawn(prepared);
  pruning::SelectOptions select{.ignore = {"layer4"}};
  const pruning::StepwiseSelection locks(prepared, select);
  select.target_parameters = 0.9;
  const LayerRatios ratios = layer_ratios(s, prepared, select);
  EXPECT_TRUE(ratios.contains("layer1.0.conv1"));
  EXPECT_FALSE(ratios.contains("layer4.0.conv1"));
  select.target_parameters = 0.01;
  EXPECT_NE(message([&] { layer_ratios(s, prepared, select); }).find("target: cannot be reached: with 90 % of every"),
            std::string::npos);
  Sensitivity foreign = example();
  EXPECT_NE(message([&] { layer_ratios(foreign, prepared, select); }).find("no node or parameter of that name"),
            std::string::npos);
}

TEST(RatioRows, HoldEveryLayerOnce) {
  for (const char* const name : {"resnet18", "mobilenet_v2", "gpt2_tiny", "shufflenet_v2_x1_0", "lstm_tagger"}) {
    SCOPED_TRACE(name);
    const pruning::Prepared prepared = pruning::prepare(zoo::build(name));
    std::vector<std::int32_t> seen(prepared.couplings.groups().size(), 0);
    for (const RatioRow& r : ratio_rows(prepared)) {
      EXPECT_FALSE(r.layers.empty());
      EXPECT_EQ(r.groups.empty(), r.units == 0);
      EXPECT_TRUE(r.units > 1 || !r.reason.empty());
      for (const std::int32_t group : r.groups) ++seen[static_cast<std::size_t>(group)];
    }
    for (std::size_t g = 0; g < seen.size(); ++g) EXPECT_LE(seen[g], 1);
  }
  const auto rows = ratio_rows(pruning::prepare(zoo::build("resnet18")));
  // 12 groups as `coppice inspect` counts them, and the classifier.
  EXPECT_EQ(rows.size(), 13U);
  EXPECT_EQ(rows.back().layers, std::vector<std::string>{"fc"});
  EXPECT_EQ(rows.back().reason, "leaves with a graph output");
  EXPECT_EQ(rows[0].layers, (std::vector<std::string>{"conv1", "layer1.0.conv2", "layer1.1.conv2"}));
}

}  // namespace
}  // namespace coppice::analysis
