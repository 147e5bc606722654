#include "coppice/sparsity/sites.hpp"

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/sparsity/granularity.hpp"
#include "coppice/sparsity/pattern.hpp"
#include "coppice/sparsity/sparsifier.hpp"
#include "coppice/tensor/kernels.hpp"
#include "coppice/zoo/zoo.hpp"

#include "models.hpp"
#include "support/message.hpp"

namespace coppice::sparsity {
namespace {

TEST(Sites, AxesOfEveryKind) {
  const std::vector<Site> sites = find_sites(all_kinds().graph);
  struct Expected {
    std::string name, layer;
    std::size_t output, input;
    bool convolution, last;
  };
  const std::vector<Expected> expected{{"conv.weight", "conv", 0, 1, true, false},
                                       {"up.weight", "up", 1, 0, true, false},
                                       {"mul.weight", "mul", 1, 0, false, false},
                                       {"turn.weight", "turned", 0, 1, false, false},
                                       {"head.weight", "head", 0, 1, false, true}};
  ASSERT_EQ(sites.size(), expected.size());
  for (std::size_t i = 0; i < sites.size(); ++i) {
    EXPECT_EQ(sites[i].name, expected[i].name);
    EXPECT_EQ(sites[i].layer, expected[i].layer);
    EXPECT_EQ(sites[i].output_axis, expected[i].output) << sites[i].name;
    EXPECT_EQ(sites[i].input_axis, expected[i].input) << sites[i].name;
    EXPECT_EQ(sites[i].convolution(), expected[i].convolution) << sites[i].name;
    EXPECT_EQ(sites[i].output_layer, expected[i].last) << sites[i].name;
    EXPECT_EQ(sites[i].obstacle, "");
  }
}

TEST(Sites, OfTheZooAreItsConvolutionsAndMatrices) {
  const graph::Model resnet = zoo::build("resnet18", 0, {.image_side = 64});
  const std::vector<Site> sites = find_sites(resnet.graph);
  ASSERT_EQ(sites.size(), 21u);  // 20 convolutions and fc
  EXPECT_EQ(sites.front().name, "conv1.weight");
  std::int64_t weights = 0, last = 0;
  for (const Site& site : sites) {
    weights += tensor::element_count(site.shape);
    last += site.output_layer ? 1 : 0;
    EXPECT_EQ(site.output_layer, site.layer == "fc") << site.layer;
  }
  // 11,689,512 parameters less 9,600 of batch norms and 1,000 biases.
  EXPECT_EQ(weights, 11'678'912);
  EXPECT_EQ(last, 1);
  EXPECT_TRUE(matches(sites[1], "layer1"));
  EXPECT_TRUE(matches(sites[1], "layer1.0.conv1.weight"));
  EXPECT_TRUE(matches(sites[1], "layer?.*.conv1"));
  EXPECT_FALSE(matches(sites[1], "layer"));
}

TEST(Sites, ATiedHeadIsAnEmbeddingToo) {
  const graph::Model model = zoo::build("gpt2_tiny");
  for (const Site& site : find_sites(model.graph))
    EXPECT_EQ(site.other_reader, site.layer == "lm_head" ? "Gather \"transformer.wte\"" : "") << site.layer;
}

TEST(Sites, RunsOfAGroupedTransposedConvolutionStayInTheirGroup) {
  graph::Builder b("grouped");
  const auto x = b.input("x", DType::float32, {{1}, {12}, {4}, {4}});
  const auto w = b.initializer("w", drawn({12, 2, 2, 2}, 1));  // two groups of six inputs
  b.output(b.op("ConvTranspose", {x, w}, {graph::attr("group", 2)}, "up"), DType::float32, {{1}, {4}, {5}, {5}});
  const std::vector<Site> sites = find_sites(std::move(b).finish().graph);
  ASSERT_EQ(sites.size(), 1u);
  EXPECT_EQ(sites[0].input_groups, 2);
  EXPECT_EQ(misfit(sites[0], parse_pattern("2:4")), "input width 6 is no multiple of 4");
  EXPECT_EQ(misfit(sites[0], parse_pattern("2x4")), "input width 6 is no multiple of 4");
  EXPECT_EQ(misfit(sites[0], parse_pattern("1:3")), std::nullopt);
}

TEST(Sites, QuantisedWeightsHaveAnObstacle) {
  graph::Builder b("quantised");
  const auto x = b.input("x", DType::float32, {{2}, {4}});
  const std::vector<std::int8_t> values(12, 3);
  const auto stored = b.initializer("w", Tensor::of<std::int8_t>(DType::int8, {4, 3}, values));
  const auto w = b.op("DequantizeLinear", {stored, b.real_scalar(0.5f)}, {}, "dequantized");
  b.output(b.op("MatMul", {x, w}, {}, "fc"), DType::float32, {{2}, {3}});
  const std::vector<Site> sites = find_sites(std::move(b).finish().graph);
  ASSERT_EQ(sites.size(), 1u);
  EXPECT_EQ(sites[0].obstacle, "int8 weights, quantised");
}

/// A branch of If: product of what is captured as `x` with a weight of its own and one of those around it.
graph::GraphPtr branch(const std::string& own, const std::string& around, bool nested) {
  graph::Builder b(own);
  graph::Graph& g = b.graph();
  const auto captured = [&](const std::string& name) {
    const graph::ValueId id = g.value(name);
    g.values[static_cast<std::size_t>(id)].captured = true;
    return id;
  };
  auto y = b.op("MatMul", {captured("x"), b.initializer(own, drawn({4, 4}, 1))}, {}, "layer_" + own);
  y = b.op("MatMul", {y, captured(around)}, {}, "layer_" + around);
  if (nested)
    y = b.op("If", {captured("yes")},
             {graph::attr("then_branch", branch("deep", own, false)),
              graph::attr("else_branch", branch("deeper", around, false))},
             "inner");
  b.output(y, DType::float32, {{2}, {4}});
  return std::make_shared<graph::Graph>(std::move(g));
}

TEST(Sites, OfSubgraphsAreToldApart) {
  graph::Builder b("branches");
  const auto x = b.input("x", DType::float32, {{2}, {4}}), yes = b.input("yes", DType::boolean, {});
  b.initializer("around", drawn({4, 4}, 2));
  const auto shared = b.initializer("shared", drawn({4, 4}, 3));
  const auto fc = b.op("MatMul", {x, shared}, {}, "fc");
  const auto y = b.op("If", {yes},
                      {graph::attr("then_branch", branch("a", "around", true)),
                       graph::attr("else_branch", branch("b", "shared", false))},
                      "choice");
  b.output(b.op("Add", {fc, y}, {}, "sum"), DType::float32, {{2}, {4}});
  graph::Model model = std::move(b).finish();
  ASSERT_EQ(find_sites(model.graph).size(), 1u);
  std::vector<std::string> found;
  for (const Site& site : find_inner_sites(model.graph))
    found.push_back(site.name + " of " + site.layer + ": " + site.obstacle);
  const std::string where = ": in a subgraph of If";
  EXPECT_EQ(found, (std::vector<std::string>{"a of layer_a" + where, "around of layer_around" + where,
                                             "deep of layer_deep" + where, "deeper of layer_deeper" + where,
                                             "b of layer_b" + where}));
  // They are listed, and stay as they are.
  const Sparsifier sparsifier(model, {});
  EXPECT_EQ(sparsifier.masks().size(), 1u);
  EXPECT_EQ(sparsifier.left().size(), 5u);
  EXPECT_EQ(sparsifier.left()[1].reason, "in a subgraph of If");
  sparsifier.apply(model);
  EXPECT_EQ(tensor::count_zeros(weight(model, "shared")), 8);
  EXPECT_EQ(tensor::count_zeros(weight(model, "around")), 0);
  // Without a layer outside there is nothing to do, and the reason is told.
  EXPECT_EQ(test::message([&] { Sparsifier(model, {.ignore = {"fc"}}); }),
            "nothing to sparsify: all 6 layers stay dense; the first, fc: ignored");
}

TEST(Granularity, EveryNameAndItsUnits) {
  const Site conv{.layer = "c", .shape = {8, 4, 3, 5}, .output_axis = 0, .input_axis = 1, .kernel_axes = {2, 3}};
  const std::vector<std::pair<std::string, std::int64_t>> sizes{{"weight", 1},
                                                                {"row", 5},
                                                                {"column", 3},
                                                                {"kernel", 15},
                                                                {"channel", 4},
                                                                {"vertical_slice", 12},
                                                                {"horizontal_slice", 20},
                                                                {"filter", 60},
                                                                {"shared_weight", 8},
                                                                {"shared_row", 40},
                                                                {"shared_column", 24},
                                                                {"shared_kernel", 120},
                                                                {"shared_channel", 32},
                                                                {"shared_vertical_slice", 96},
                                                                {"shared_horizontal_slice", 160}};
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const Granularity granularity = parse_granularity(sizes[i].first);
    EXPECT_EQ(granularity, static_cast<Granularity>(i));
    EXPECT_EQ(to_string(granularity), sizes[i].first);
    const tensor::Units units = units_of(conv, granularity);
    EXPECT_EQ(units.size(), sizes[i].second) << sizes[i].first;
    EXPECT_EQ(units.count() * units.size(), 480);
  }
  EXPECT_EQ(to_string(static_cast<Granularity>(sizes.size())), "unknown");
  EXPECT_THROW(parse_granularity("rows"), Error);
}

TEST(Granularity, OfOtherRanksAndMatrices) {
  const Site line{.layer = "c", .shape = {8, 4, 7}, .output_axis = 0, .input_axis = 1, .kernel_axes = {2}};
  EXPECT_EQ(units_of(line, Granularity::kernel).size(), 7);
  EXPECT_EQ(units_of(line, Granularity::filter).size(), 28);
  EXPECT_THROW(units_of(line, Granularity::column), Error);
  EXPECT_THROW(units_of(line, Granularity::shared_vertical_slice), Error);
  const Site volume{
      .layer = "c", .shape = {4, 8, 2, 3, 5}, .output_axis = 1, .input_axis = 0, .kernel_axes = {2, 3, 4}};
  EXPECT_EQ(units_of(volume, Granularity::kernel).size(), 30);
  EXPECT_EQ(units_of(volume, Granularity::filter).together, (std::vector<bool>{true, false, true, true, true}));
  const Site matrix{.layer = "m", .shape = {6, 9}, .output_axis = 1, .input_axis = 0};
  EXPECT_EQ(units_of(matrix, Granularity::row).size(), 6);  // the inputs of one output
  EXPECT_EQ(units_of(matrix, Granularity::column).size(), 9);
  try {
    units_of(matrix, Granularity::kernel);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "m: granularity kernel is not for matrices: expected weight, row or column, or the layer ignored");
  }
}

TEST(Pattern, ReadsWhatItWritesAndRefusesTheRest) {
  for (const char* text : {"none", "2:4", "1:2", "7:31", "4x4", "1x8", "16x1"})
    EXPECT_EQ(to_string(parse_pattern(text)), text);
  for (const char* text :
       {"", ":", "2:", "4:4", "4:2", "0:4", "-2:4", "2:4:8", "1x1", "0x4", "x", "2 :4", "99999999999999999999:4"})
    EXPECT_THROW(parse_pattern(text), Error) << text;
}

TEST(Pattern, SaysWhereItDoesNotFit) {
  const Site conv{.layer = "c", .shape = {8, 3, 3, 3}, .output_axis = 0, .input_axis = 1, .kernel_axes = {2, 3}};
  EXPECT_EQ(misfit(conv, parse_pattern("2:4")), "input width 3 is no multiple of 4");
  EXPECT_EQ(misfit(conv, parse_pattern("1:3")), std::nullopt);
  EXPECT_EQ(misfit(conv, parse_pattern("4x9")), std::nullopt);  // 27 columns
  EXPECT_EQ(misfit(conv, parse_pattern("3x9")), "output width 8 is no multiple of 3");
  EXPECT_EQ(tiles_of(conv, parse_pattern("4x9")).shape, (tensor::Shape{2, 4, 3, 9}));
  const Site matrix{.layer = "m", .shape = {6, 8}, .output_axis = 1, .input_axis = 0};
  EXPECT_EQ(tiles_of(matrix, parse_pattern("4x3")).shape, (tensor::Shape{2, 3, 2, 4}));
}

}  // namespace
}  // namespace coppice::sparsity
