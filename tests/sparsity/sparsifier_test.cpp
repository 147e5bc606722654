#include "coppice/sparsity/sparsifier.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"
#include "coppice/tensor/kernels.hpp"
#include "coppice/zoo/zoo.hpp"

#include "models.hpp"
#include "support/message.hpp"

namespace coppice::sparsity {
namespace {

std::vector<float> sparse(const graph::Model& from, const SparsifyOptions& options) {
  graph::Model model = from;
  Sparsifier(model, options).apply(model);
  const auto values = weight(model, "fc.weight").as<float>();
  return {values.begin(), values.end()};
}

const std::vector<float> kMatrix{1, -9, 3, 4,   //
                                 8, 2,  7, -1,  //
                                 5, 6,  0, -5,  //
                                 2, 2,  2, 2};

TEST(Sparsifier, GranularitiesOfAMatrixByHand) {
  const graph::Model model = one_matrix({4, 4}, kMatrix);
  // 0, the two ones and four of the five twos: of equal ones the first.
  EXPECT_EQ(sparse(model, {.sparsity = 0.4375}),
            (std::vector<float>{0, -9, 3, 4, 8, 0, 7, 0, 5, 6, 0, -5, 0, 0, 0, 2}));
  // Rows of 17, 18, 16 and 8.
  EXPECT_EQ(sparse(model, {.sparsity = 0.5, .granularity = Granularity::row}),
            (std::vector<float>{1, -9, 3, 4, 8, 2, 7, -1, 0, 0, 0, 0, 0, 0, 0, 0}));
  // Columns of 16, 19, 12 and 12.
  EXPECT_EQ(sparse(model, {.sparsity = 0.25, .granularity = Granularity::column}),
            (std::vector<float>{1, -9, 0, 4, 8, 2, 0, -1, 5, 6, 0, -5, 2, 2, 0, 2}));
  // Squares of columns: 94, 125, 62 and 46.
  EXPECT_EQ(
      sparse(model, {.sparsity = 0.25, .granularity = Granularity::column, .criterion = importance::Criterion::l2}),
      (std::vector<float>{1, -9, 3, 0, 8, 2, 7, 0, 5, 6, 0, 0, 2, 2, 2, 0}));
  EXPECT_EQ(sparse(model, {.pattern = parse_pattern("1:2")}),
            (std::vector<float>{0, -9, 0, 4, 8, 0, 7, 0, 0, 6, 0, -5, 0, 2, 0, 2}));
  // Tiles of 20, 15, 15 and 9.
  EXPECT_EQ(sparse(model, {.sparsity = 0.5, .pattern = parse_pattern("2x2")}),
            (std::vector<float>{1, -9, 0, 0, 8, 2, 0, 0, 5, 6, 0, 0, 2, 2, 0, 0}));
  EXPECT_EQ(sparse(model, {.sparsity = 0.25, .criterion = importance::Criterion::small_final}),
            (std::vector<float>{1, 0, 3, 4, 0, 2, 0, -1, 5, 0, 0, -5, 2, 2, 2, 2}));
}

TEST(Sparsifier, CountsAreExactInEveryContext) {
  for (const Context context : {Context::local, Context::global}) {
    for (const double sparsity : {0.0, 0.1, 0.5, 0.999, 1.0}) {
      graph::Model model = all_kinds();
      const Sparsifier sparsifier(model, {.sparsity = sparsity, .context = context});
      std::int64_t weights = 0, zeros = 0;
      for (const ZeroCount& count : sparsifier.apply(model)) {
        if (context == Context::local) {
          EXPECT_EQ(count.after, std::llround(sparsity * static_cast<double>(count.weights))) << count.name;
        }
        EXPECT_EQ(count.before, 0);
        EXPECT_EQ(count.after, tensor::count_zeros(weight(model, count.name)));
        weights += count.weights;
        zeros += count.after;
      }
      EXPECT_EQ(weights, 162 + 96 + 512 + 64 + 40);
      if (context == Context::global) {
        EXPECT_EQ(zeros, std::llround(sparsity * static_cast<double>(weights)));
      }
      for (const char* bias : {"conv.bias", "turn.bias", "head.bias"})
        EXPECT_EQ(tensor::count_zeros(weight(model, bias)), 0);
    }
  }
}

TEST(Sparsifier, NOfMRunsAlongTheInputsOfEveryLayer) {
  graph::Model model = all_kinds();
  const Sparsifier sparsifier(model, {.pattern = parse_pattern("2:4")});
  sparsifier.apply(model);
  ASSERT_EQ(sparsifier.left().size(), 2u);
  EXPECT_EQ(sparsifier.left()[0].site.layer, "conv");
  EXPECT_EQ(sparsifier.left()[0].reason, "input width 3 is no multiple of 4");
  EXPECT_EQ(sparsifier.left()[1].reason, "input width 6 is no multiple of 4");
  EXPECT_EQ(tensor::count_zeros(weight(model, "conv.weight")), 0);
  // MatMul's [64,8] runs down the first axis, the one behind Transpose and Gemm's [O,I] along the second.
  const auto zeros = [&](const char* name, std::int64_t first, std::int64_t step) {
    int out = 0;
    for (std::int64_t i = 0; i < 4; ++i) out += tensor::element_as_double(weight(model, name), first + i * step) == 0;
    return out;
  };
  for (std::int64_t run = 0; run < 16; ++run)
    for (std::int64_t column = 0; column < 8; ++column) EXPECT_EQ(zeros("mul.weight", run * 32 + column, 8), 2);
  for (std::int64_t run = 0; run < 16; ++run) EXPECT_EQ(zeros("turn.weight", run * 4, 1), 2);
  for (std::int64_t run = 0; run < 10; ++run) EXPECT_EQ(zeros("head.weight", run * 4, 1), 2);
}

TEST(Sparsifier, LayersMayHaveTheirOwnSparsityAndBeLeftOut) {
  graph::Model model = all_kinds();
  const Sparsifier sparsifier(model, {.sparsity = 0.5,
                                      .context = Context::global,
                                      .layers = {{"*", 0.9}, {"mul", 0.25}, {"turn*", 0}},
                                      .ignore = {"conv.weight"},
                                      .keep_classifier = true});
  const std::vector<ZeroCount> counts = sparsifier.apply(model);
  ASSERT_EQ(counts.size(), 3u);
  EXPECT_EQ(counts[0].after, 86);  // of 96
  EXPECT_EQ(counts[1].after, 128);
  EXPECT_EQ(counts[2].after, 0);
  ASSERT_EQ(sparsifier.left().size(), 2u);
  EXPECT_EQ(sparsifier.left()[0].reason, "ignored");
  EXPECT_EQ(sparsifier.left()[1].reason, "output layer");
}

TEST(Sparsifier, MasksHoldAfterTheWeightsHaveMoved) {
  const graph::Model before = all_kinds();
  graph::Model model = before;
  const Sparsifier sparsifier(model, {.sparsity = 0.7});
  sparsifier.apply(model);
  graph::Model moved = all_kinds();
  const graph::ValueId value = moved.graph.find("mul.weight");
  moved.graph.set_constant(value, drawn({64, 8}, 99));
  const std::vector<ZeroCount> counts = Sparsifier(sparsifier.masks()).apply(moved);
  EXPECT_EQ(counts[2].before, 0);
  EXPECT_EQ(counts[2].after, 358);
  for (std::int64_t i = 0; i < 512; ++i)
    EXPECT_EQ(tensor::element_as_double(weight(model, "mul.weight"), i) == 0,
              tensor::element_as_double(weight(moved, "mul.weight"), i) == 0);
  // Of another size: nothing is touched.
  moved.graph.set_constant(value, drawn({64, 9}, 99));
  moved.graph.set_constant(moved.graph.find("conv.weight"), drawn({6, 3, 3, 3}, 1));
  EXPECT_THROW(sparsifier.apply(moved), Error);
  EXPECT_EQ(tensor::count_zeros(weight(moved, "conv.weight")), 0);
}

TEST(Sparsifier, MasksMayBeToldFromZeros) {
  graph::Model model = all_kinds();
  const Sparsifier sparsifier(model, {.sparsity = 0.6});
  sparsifier.apply(model);
  const std::vector<LayerMask> told = masks_of_zeros(model, {"mul.weight", "conv.weight"});
  EXPECT_EQ(told[0].mask, sparsifier.masks()[2].mask);
  EXPECT_EQ(told[1].mask, sparsifier.masks()[0].mask);
  EXPECT_EQ(told[1].site.shape, (tensor::Shape{6, 3, 3, 3}));
  EXPECT_THROW(masks_of_zeros(model, {"none"}), Error);
}

TEST(Sparsifier, IsTheSameForAnyNumberOfThreadsAndEveryCriterion) {
  using importance::Criterion;
  const graph::Model model = zoo::build("mlp");
  for (const Criterion criterion : {Criterion::large_final, Criterion::random, Criterion::lamp}) {
    std::vector<tensor::Mask> first;
    for (const int threads : {1, 2, 7}) {
      base::set_thread_count(threads);
      const Sparsifier sparsifier(model, {.sparsity = 0.8, .context = Context::global, .criterion = criterion});
      std::vector<tensor::Mask> masks;
      std::int64_t dropped = 0;
      for (const LayerMask& layer : sparsifier.masks()) {
        masks.push_back(layer.mask);
        dropped += layer.mask.dropped();
      }
      EXPECT_EQ(dropped, 187'802);  // 0.8 of 234,752, rounded
      if (first.empty()) first = masks;
      EXPECT_EQ(masks, first);
    }
  }
  base::set_thread_count(0);
}

TEST(Sparsifier, ARandomDrawChangesWithTheSeedOnly) {
  const graph::Model model = all_kinds();
  const auto masks = [&](SparsifyOptions options) {
    options.criterion = importance::Criterion::random;
    return Sparsifier(model, options).masks();
  };
  EXPECT_EQ(masks({}).back().mask, masks({.ignore = {"conv"}}).back().mask);
  EXPECT_NE(masks({}).back().mask, masks({.seed = 1}).back().mask);
}

TEST(Sparsifier, InfiniteWeightsAreTheLargestAndHaveNoShareOfASum) {
  std::vector<float> values = kMatrix;
  values[2] = -std::numeric_limits<float>::infinity();
  const graph::Model model = one_matrix({4, 4}, values);
  const std::vector<float> out = sparse(model, {.sparsity = 15.0 / 16});
  EXPECT_EQ(out[2], values[2]);
  EXPECT_EQ(std::count(out.begin(), out.end(), 0.0f), 15);
  EXPECT_EQ(sparse(model, {.sparsity = 0.75, .granularity = Granularity::row})[2], values[2]);
  for (const Granularity granularity : {Granularity::weight, Granularity::row})
    EXPECT_EQ(
        test::message([&] { sparse(model, {.granularity = granularity, .criterion = importance::Criterion::lamp}); }),
        "fc.weight: expected numbers, found an infinity at [0, 2]");
}

TEST(Sparsifier, RefusesWithOneClearLine) {
  graph::Model model = all_kinds();
  const auto message = [&](const SparsifyOptions& options) -> std::string {
    try {
      const Sparsifier sparsifier(model, options);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message({.sparsity = 1.1}), "sparsity: expected 0 to 1, found 1.100000");
  EXPECT_EQ(message({.layers = {{"mul", -1}}}), "sparsity of mul: expected 0 to 1, found -1.000000");
  EXPECT_EQ(message({.pattern = parse_pattern("2:100")}),
            "nothing to sparsify: all 5 layers stay dense; the first, conv: input width 3 is no multiple of 100");
  EXPECT_EQ(message({.pattern = {Pattern::Kind::keep_of, 0, 0}}), "pattern 0:0: expected N:M with 0 < N < M");
  EXPECT_EQ(message({.pattern = {Pattern::Kind::keep_of, 4, 4}}), "pattern 4:4: expected N:M with 0 < N < M");
  EXPECT_EQ(message({.pattern = {Pattern::Kind::tiles, 2, 0}}), "pattern 2x0: expected AxB with A and B of 1 or more");
  EXPECT_EQ(message({.granularity = Granularity::kernel}),
            "mul: granularity kernel is not for matrices: expected weight, row or column, or the layer ignored");
  EXPECT_EQ(message({.criterion = importance::Criterion::fpgm}),
            "criterion fpgm scores channels, not weights: expected large_final, l2, small_final, random or lamp");
  EXPECT_EQ(message({.ignore = {"hed"}}), "layer \"hed\": no layer with weights of that name; nearest: head, up, mul");
  EXPECT_EQ(message({.granularity = Granularity::row, .pattern = parse_pattern("2:4")}),
            "pattern 2:4: expected granularity weight, found row");
  EXPECT_EQ(message({.pattern = parse_pattern("2:4"), .layers = {{"mul", 0.5}}}),
            "pattern 2:4 makes the sparsity of every layer; found another for mul");
  std::vector<float> values(40, 1.0f);
  values[17] = std::numeric_limits<float>::quiet_NaN();
  model.graph.set_constant(model.graph.find("head.weight"), Tensor::of<float>(DType::float32, {5, 8}, values));
  EXPECT_EQ(message({}), "head.weight: expected numbers, found NaN as weight 17");
  EXPECT_EQ(message({.granularity = Granularity::row, .ignore = {"conv", "up"}}),
            "head.weight: expected numbers, found nan at [2, 1]");
  EXPECT_EQ(message({.pattern = parse_pattern("2:4")}), "head.weight: expected numbers, found NaN as weight 17");
}

}  // namespace
}  // namespace coppice::sparsity
