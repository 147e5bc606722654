#include "coppice/sparsity/strategy.hpp"

#include <cmath>
#include <limits>
#include <set>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/zoo/zoo.hpp"

#include "models.hpp"

namespace coppice::sparsity {
namespace {

/// As the page on strategies has them.
class MyGlobalMagWeight : public Strategy {
 public:
  using Strategy::Strategy;

 protected:
  Masks model_masks() override {
    const Importances importances = map_importances([](double w) { return std::fabs(w); }, params());
    return importance_masks(importances, fraction_threshold(flatten_importances(importances), fraction()));
  }
};

class MyLayerMagWeight : public Strategy {
 public:
  using Strategy::Strategy;

 protected:
  Masks layer_masks(const Site& layer) override {
    Masks masks;
    for (const auto& [name, values] : map_importances([](double w) { return std::fabs(w); }, module_params(layer)))
      masks.emplace_back(name, fraction_mask(values, fraction()));
    return masks;
  }
};

std::vector<tensor::Mask> masks_of(const Sparsifier& sparsifier) {
  std::vector<tensor::Mask> out;
  for (const LayerMask& layer : sparsifier.masks()) out.push_back(layer.mask);
  return out;
}

std::vector<tensor::Mask> named(const char* name, const graph::Model& model, const StrategyOptions& options) {
  return masks_of(make_strategy(name, model, options)->sparsifier());
}

TEST(Importances, HelpersByHand) {
  const Params params{{"a", Tensor::of<float>(DType::float32, {3}, std::vector<float>{1, -4, 2})},
                      {"b", Tensor::of<float>(DType::float32, {2}, std::vector<float>{-3, 2})}};
  const Importances importances = map_importances([](double w) { return std::fabs(w); }, params);
  EXPECT_EQ(flatten_importances(importances), (std::vector<double>{1, 4, 2, 3, 2}));
  EXPECT_EQ(fraction_threshold({1, 4, 2, 3, 2}, 0.4), 3);
  EXPECT_EQ(fraction_threshold({1, 4, 2, 3, 2}, 0.6), 2);
  EXPECT_EQ(fraction_threshold({1, 4, 2, 3, 2}, 1), 1);
  EXPECT_EQ(fraction_threshold({1, 4}, 0), std::numeric_limits<double>::infinity());
  const Masks masks = importance_masks(importances, 2);  // both twos stay
  EXPECT_EQ(masks[0].second.words[0], 0b110u);
  EXPECT_EQ(masks[1].second.words[0], 0b11u);
  EXPECT_EQ(fraction_mask({1, 4, 2, 3, 2}, 0.6).words[0], 0b11010u);  // of equal ones the last stays
  EXPECT_THROW(fraction_threshold({1}, 1.5), Error);
  EXPECT_THROW(fraction_threshold({std::nan("")}, 0.5), Error);
}

TEST(Strategy, OnesOwnEqualTheNamedOnes) {
  const graph::Model model = zoo::build("mlp");
  MyGlobalMagWeight global(model, {.fraction = 0.3});
  EXPECT_EQ(masks_of(global.sparsifier()), named("GlobalMagWeight", model, {.fraction = 0.3}));
  MyLayerMagWeight layer(model, {.fraction = 0.3});
  EXPECT_EQ(masks_of(layer.sparsifier()), named("LayerMagWeight", model, {.fraction = 0.3}));
  EXPECT_NE(masks_of(global.sparsifier()), masks_of(layer.sparsifier()));
}

TEST(Strategy, LeavesTheClassifierAndMeetsACompression) {
  const graph::Model model = zoo::build("mlp");  // 235,146 parameters, 1,280 in the output layer, 394 biases
  EXPECT_EQ(named("Random", model, {}).size(), 2u);
  EXPECT_EQ(named("Random", model, {.prune_classifier = true}).size(), 3u);
  const auto strategy = make_strategy("GlobalMagWeight", model, {.compression = 4});
  EXPECT_DOUBLE_EQ(strategy->fraction(), (235'146 / 4.0 - 1'674) / 233'472);
  std::int64_t dropped = 0;
  const Sparsifier sparsifier = strategy->sparsifier();
  for (const LayerMask& layer : sparsifier.masks()) dropped += layer.mask.dropped();
  EXPECT_NEAR(235'146.0 / static_cast<double>(235'146 - dropped), 4, 1e-4);
  EXPECT_DOUBLE_EQ(make_strategy("Random", model, {.compression = 1})->fraction(), 1);
  EXPECT_THROW(make_strategy("Random", model, {.compression = 141}), Error);  // 140.5 with nothing left
  EXPECT_THROW(make_strategy("Random", model, {.compression = 0.5}), Error);
  EXPECT_THROW(make_strategy("Random", model, {.fraction = 1.5}), Error);
}

TEST(Strategy, GradientsAndActivationsWeighWeights) {
  // Weights 1 2 / 3 4 in [O,I], and a second layer so that the first is no classifier.
  graph::Builder b("two");
  const auto x = b.input("x", DType::float32, {{1}, {2}});
  const auto w = b.initializer("w", Tensor::of<float>(DType::float32, {2, 2}, std::vector<float>{1, -2, 3, 4}));
  const auto v = b.initializer("v", drawn({3, 2}, 1));
  const auto y = b.op("Gemm", {x, w}, {graph::attr("transB", 1)}, "first");
  b.output(b.op("Gemm", {y, v}, {graph::attr("transB", 1)}, "second"), DType::float32, {{1}, {3}});
  const graph::Model model = std::move(b).finish();
  StrategyOptions options;
  options.gradients.emplace("w", Tensor::of<float>(DType::float32, {2, 2}, std::vector<float>{9, 1, -2, 0}));
  options.input_norms["w"] = {5, 1};
  options.output_norms["w"] = {7, 6};
  // |w g| = 9 2 / 6 0; |w a| = 5 2 / 15 4; outputs 7 and 6.
  for (const char* name : {"GlobalMagGrad", "LayerMagGrad"})
    EXPECT_EQ(named(name, model, options)[0].words[0], 0b0101u);
  for (const char* name : {"GlobalMagAct", "LayerMagAct"}) EXPECT_EQ(named(name, model, options)[0].words[0], 0b0101u);
  EXPECT_EQ(named("WeightNormChannel", model, options)[0].words[0], 0b1100u);
  EXPECT_EQ(named("ActivationNormChannel", model, options)[0].words[0], 0b0011u);
  options.fraction = 0.75;
  EXPECT_EQ(named("LayerMagGrad", model, options)[0].words[0], 0b0111u);
  EXPECT_EQ(named("LayerMagAct", model, options)[0].words[0], 0b1101u);
  options.prune_linear = false;
  EXPECT_THROW(named("WeightNormChannel", model, options), Error);  // nothing is left to prune
  EXPECT_THROW(named("LayerMagGrad", model, {}), Error);
  options.input_norms["w"] = {5};
  EXPECT_THROW(named("LayerMagAct", model, options), Error);
}

TEST(Strategy, ChannelsOfEveryKindOfLayer) {
  const graph::Model model = all_kinds();
  const auto strategy = make_strategy("WeightNormChannel", model, {.fraction = 0.5});
  const Sparsifier sparsifier = strategy->sparsifier();
  ASSERT_EQ(sparsifier.masks().size(), 4u);
  for (const LayerMask& layer : sparsifier.masks()) {
    std::set<std::int64_t> gone, staying;
    std::int64_t inner = 1;
    for (std::size_t i = layer.site.output_axis + 1; i < layer.site.shape.size(); ++i) inner *= layer.site.shape[i];
    const std::int64_t outputs = layer.site.shape[layer.site.output_axis];
    for (std::int64_t i = 0; i < layer.mask.elements; ++i)
      (layer.mask.stays(i) ? staying : gone).insert(i / inner % outputs);
    EXPECT_EQ(gone.size() + staying.size(), static_cast<std::size_t>(outputs)) << layer.site.name;  // whole ones
    EXPECT_EQ(gone.size(), staying.size()) << layer.site.name;
  }
}

TEST(Strategy, RefusesWhatDoesNotFit) {
  const graph::Model model = zoo::build("mlp");
  try {
    make_strategy("GlobalMag", model, {});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("LayerMagAct, WeightNormChannel"), std::string::npos);
  }
  EXPECT_EQ(strategy_names().size(), 9u);
  Strategy none(model, {});
  EXPECT_THROW(none.sparsifier(), Error);
  struct Wrong : Strategy {
    using Strategy::Strategy;
    Masks model_masks() override { return {{"fc1.weight", tensor::Mask::all(3)}}; }
  } wrong(model, {});
  EXPECT_THROW(wrong.sparsifier(), Error);
  StrategyOptions convolutions;
  convolutions.prune_linear = false;
  EXPECT_THROW(make_strategy("WeightNormChannel", model, convolutions)->sparsifier(), Error);
}

// Halves go, whoever counts.
TEST(Strategy, CountsAsSparsifierDoes) {
  EXPECT_EQ(fraction_mask({1, 2, 3, 4, 5}, 0.5).dropped(), 3);
  EXPECT_EQ(fraction_threshold({1, 2, 3, 4, 5}, 0.5), 4);
}

TEST(Sparsifier, ScoresFromElsewhereReplaceTheCriterion) {
  const graph::Model model = one_matrix({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8});
  SparsifyOptions options{.sparsity = 0.5};
  options.scores.emplace("fc.weight",
                         Tensor::of<double>(DType::float64, {2, 4}, std::vector<double>{8, -7, 6, 5, 4, 3, 2, 1}));
  EXPECT_EQ(Sparsifier(model, options).masks()[0].mask.words[0], 0b00011101u);
  options.pattern = parse_pattern("2:4");
  EXPECT_EQ(Sparsifier(model, options).masks()[0].mask.words[0], 0b00110101u);
  options.pattern = {};
  options.granularity = Granularity::row;
  EXPECT_EQ(Sparsifier(model, options).masks()[0].mask.words[0], 0b00001111u);
  options.scores.begin()->second = Tensor::scalar(1.0f);
  EXPECT_THROW(Sparsifier(model, options), Error);
  options.scores = {{"other", Tensor::scalar(1.0f)}};
  EXPECT_THROW(Sparsifier(model, options), Error);
}

}  // namespace
}  // namespace coppice::sparsity
