#include "coppice/sparsity/streamed.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"
#include "coppice/tensor/kernels.hpp"

#include "models.hpp"
#include "support/message.hpp"
#include "support/scratch.hpp"

namespace coppice::sparsity {
namespace {

/// A convolution and three matrices, all [outputs, inputs, ...], with what stays dense between them.
std::vector<NamedWeight> checkpoint() {
  return {{"conv.weight", drawn({6, 4, 3, 3}, 2)}, {"conv.bias", drawn({6}, 3)},
          {"up.weight", drawn({16, 8}, 4)},        {"norm.weight", drawn({16}, 5)},
          {"down.weight", drawn({12, 16}, 6)},     {"out.weight", drawn({5, 12}, 7)},
          {"lm_head.weight", drawn({10, 8}, 8)},   {"embed_tokens.weight", drawn({10, 8}, 1)}};
}

/// The same layers as a graph.
graph::Model same_as_graph() {
  const std::vector<NamedWeight> weights = checkpoint();
  graph::Builder b("same");
  const auto x = b.input("x", DType::float32, {{1}, {4}, {5}, {5}}), z = b.input("z", DType::float32, {{1}, {8}});
  b.output(b.op("Conv", {x, b.initializer("conv.weight", weights[0].tensor)}, {}, "conv"), DType::float32,
           {{1}, {6}, {3}, {3}});
  auto y = z;
  for (const std::size_t i : {2u, 4u, 5u}) {
    const std::string layer = weights[i].name.substr(0, weights[i].name.find('.'));
    y = b.op("Gemm", {y, b.initializer(weights[i].name, weights[i].tensor)}, {graph::attr("transB", 1)}, layer);
  }
  b.output(y, DType::float32, {{1}, {5}});
  return std::move(b).finish();
}

std::vector<float> zeroed(const StreamedSparsifier& sparsifier, const std::vector<NamedWeight>& weights,
                          std::size_t i) {
  std::vector<float> out(static_cast<std::size_t>(weights[i].tensor.elements()));
  const ZeroCount count = sparsifier.zero(i, std::as_writable_bytes(std::span(out)));
  EXPECT_EQ(count.name, weights[i].name);
  EXPECT_EQ(count.weights, weights[i].tensor.elements());
  EXPECT_EQ(count.before, 0);
  EXPECT_EQ(count.after, std::count(out.begin(), out.end(), 0.0f));
  // The same with its mask.
  std::vector<float> again(out.size());
  tensor::Mask mask;
  sparsifier.zero(i, std::as_writable_bytes(std::span(again)), &mask);
  EXPECT_EQ(again, out);
  EXPECT_EQ(mask.dropped(), count.after);
  return out;
}

TEST(StreamedSparsifier, ChoosesAsSparsifierDoes) {
  using importance::Criterion;
  const auto pattern = [](const char* text) { return parse_pattern(text); };
  const std::vector<SparsifyOptions> cases{
      {.sparsity = 0.5},
      {.sparsity = 0.37, .context = Context::global},
      {.sparsity = 0.5, .context = Context::global, .layers = {{"up", 0.9}, {"conv", 0}}},
      {.context = Context::global, .pattern = pattern("2:4")},
      {.criterion = Criterion::random, .pattern = pattern("1:2"), .seed = 7},
      {.sparsity = 0.5, .pattern = pattern("2x2")},
      {.sparsity = 0.5, .context = Context::global, .pattern = pattern("2x2")},
      {.sparsity = 0.5, .granularity = Granularity::row, .ignore = {"down"}},
      {.sparsity = 0.5, .granularity = Granularity::column, .context = Context::global},
      {.sparsity = 0.25, .context = Context::global, .criterion = Criterion::random, .seed = 3},
      {.sparsity = 0.25, .criterion = Criterion::small_final},
      {.sparsity = 0.5, .context = Context::global, .criterion = Criterion::lamp},
      {.sparsity = 0.5, .criterion = Criterion::l2}};
  const std::vector<NamedWeight> weights = checkpoint();
  for (std::size_t k = 0; k < cases.size(); ++k) {
    for (const int threads : {1, 2}) {
      base::set_thread_count(threads);
      SCOPED_TRACE("case " + std::to_string(k));
      graph::Model model = same_as_graph();
      const Sparsifier expected(model, cases[k]);
      expected.apply(model);
      const StreamedSparsifier found(weights, cases[k]);
      EXPECT_EQ(found.left().size(), expected.left().size() + 2);
      for (const std::size_t i : {0u, 2u, 4u, 5u}) {
        const bool dense = std::any_of(expected.left().begin(), expected.left().end(),
                                       [&](const LeftDense& left) { return left.site.name == weights[i].name; });
        EXPECT_EQ(found.takes_part(i), !dense);
        if (dense) continue;
        const auto values = weight(model, weights[i].name).as<float>();
        EXPECT_EQ(zeroed(found, weights, i), std::vector<float>(values.begin(), values.end()));
      }
      for (const std::size_t i : {1u, 3u, 6u, 7u}) EXPECT_FALSE(found.takes_part(i));
    }
  }
  base::set_thread_count(0);
}

TEST(StreamedSparsifier, NamesTellWhatStaysDense) {
  const Tensor matrix = drawn({4, 4}, 1);
  const std::vector<NamedWeight> weights{
      {"model.embed_tokens.weight", matrix},
      {"transformer.wte.weight", matrix},
      {"lm_head.weight", matrix},
      {"packed.weight", Tensor::of<std::int8_t>(DType::int8, {1, 2}, std::array<std::int8_t, 2>{})},
      {"layers.0.fc.weight", matrix},
      {"layers.0.fc.scale", matrix},
      {"weight", matrix},
      {"six.weight", drawn({1, 1, 1, 1, 1, 1}, 1)}};
  const StreamedSparsifier sparsifier(weights, {});
  std::vector<std::string> left;
  for (const LeftDense& dense : sparsifier.left()) left.push_back(dense.site.layer + ": " + dense.reason);
  EXPECT_EQ(left, (std::vector<std::string>{"model.embed_tokens: an embedding, by its name",
                                            "transformer.wte: an embedding, by its name",
                                            "lm_head: an output head, by its name", "packed: int8 weights"}));
  for (std::size_t i = 0; i < weights.size(); ++i) EXPECT_EQ(sparsifier.takes_part(i), i == 4 || i == 6);
  // Named, they take part; of another type they cannot.
  const StreamedSparsifier named(weights, {.layers = {{"lm_head", 0.25}, {"packed", 0.5}}});
  EXPECT_TRUE(named.takes_part(2));
  EXPECT_FALSE(named.takes_part(3));
  std::vector<float> room(16);
  EXPECT_EQ(named.zero(2, std::as_writable_bytes(std::span(room))).after, 4);
}

TEST(StreamedMasks, WriteTheZerosOfAFile) {
  const test::Scratch scratch;
  const std::string path = scratch / "masks.safetensors";
  const std::vector<NamedWeight> weights = checkpoint();
  graph::Model model = same_as_graph();
  const Sparsifier chosen(model, {.sparsity = 0.4, .ignore = {"down"}});
  write_masks(chosen.masks(), path);
  chosen.apply(model);
  const MaskFile file(path);
  const StreamedMasks masks(weights, file);
  ASSERT_EQ(masks.sites().size(), 3u);
  EXPECT_EQ(masks.sites()[1].name, "up.weight");
  std::size_t next = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    ASSERT_EQ(masks.takes_part(i), i == 0 || i == 2 || i == 5);
    if (!masks.takes_part(i)) continue;
    std::vector<float> out(static_cast<std::size_t>(weights[i].tensor.elements()));
    tensor::Mask mask;
    const ZeroCount count = masks.zero(i, std::as_writable_bytes(std::span(out)), &mask);
    const auto expected = weight(model, weights[i].name).as<float>();
    EXPECT_EQ(out, std::vector<float>(expected.begin(), expected.end()));
    EXPECT_EQ(count.after, std::count(out.begin(), out.end(), 0.0f));
    EXPECT_EQ(mask, chosen.masks()[next++].mask);
  }
}

TEST(StreamedMasks, RefuseWhatDoesNotFit) {
  using test::message;
  const test::Scratch scratch;
  const std::string path = scratch / "masks.safetensors";
  const auto refused = [&](const std::string& name, const tensor::Shape& shape) {
    write_masks(std::vector<LayerMask>{{Site{.name = name, .shape = shape}, tensor::Mask::all(128)}}, path);
    const MaskFile file(path);
    return message([&] { StreamedMasks(checkpoint(), file); });
  };
  EXPECT_EQ(refused("up.weight", {16, 8}), "no error");
  EXPECT_EQ(refused("up.weight", {8, 16}), "up.weight: expected 8x16 real numbers, found 16x8 of float32");
  EXPECT_EQ(refused("pu.weight", {16, 8}), "pu.weight: the model has no such weight");
  write_masks(std::vector<LayerMask>{{Site{.name = "up.weight", .shape = {16, 8}}, tensor::Mask::all(128)}}, path);
  const MaskFile file(path);
  const StreamedMasks masks(checkpoint(), file);
  std::vector<float> room(7);
  EXPECT_EQ(message([&] { masks.zero(2, std::as_writable_bytes(std::span(room))); }),
            "up.weight: expected room for 512 bytes, found 28");
  EXPECT_EQ(message([&] { masks.zero(0, std::as_writable_bytes(std::span(room))); }), "weight 0 stays dense");
}

// Their axes may be of any length.
TEST(StreamedSparsifier, LeavesOutTensorsWithoutElements) {
  std::vector<NamedWeight> weights = checkpoint();
  const std::size_t count = find_sites(weights).size();
  weights.push_back({"empty.weight", {tensor::DType::float32, {std::int64_t{1} << 62, 0}, tensor::Bytes(), nullptr}});
  EXPECT_EQ(find_sites(weights).size(), count);
  const tensor::Units units{{std::int64_t{1} << 62, 0}, {false, true}};
  EXPECT_EQ(units.count(), 0);
  EXPECT_TRUE(tensor::unit_power_sums(weights.back().tensor, units, 1).empty());
  EXPECT_EQ(tensor::mask_keep_of("w", {tensor::DType::float32, {0, std::int64_t{1} << 62, 4}, tensor::Bytes(), nullptr},
                                 {2, 4, 2})
                .elements,
            0);
}

TEST(StreamedSparsifier, RefusesWhatCannotBe) {
  using test::message;
  const std::vector<NamedWeight> weights = checkpoint();
  EXPECT_EQ(message([&] { StreamedSparsifier({}, {}); }),
            "nothing to sparsify: there is no tensor of two to five axes named *.weight");
  EXPECT_NE(
      message([&] { StreamedSparsifier(weights, {.pattern = parse_pattern("2:64")}); }).find("nothing to sparsify"),
      std::string::npos);
  EXPECT_NE(message([&] { StreamedSparsifier(weights, {.ignore = {"donw"}}); }).find("\"donw\""), std::string::npos);
  EXPECT_NE(message([&] { StreamedSparsifier(weights, {.sparsity = 1.5}); }).find("expected 0 to 1"),
            std::string::npos);
  const StreamedSparsifier sparsifier(weights, {});
  std::vector<float> room(7);
  EXPECT_EQ(message([&] { sparsifier.zero(2, std::as_writable_bytes(std::span(room))); }),
            "up.weight: expected room for 512 bytes, found 28");
  EXPECT_EQ(message([&] { sparsifier.zero(1, std::as_writable_bytes(std::span(room))); }), "weight 1 stays dense");
}

}  // namespace
}  // namespace coppice::sparsity
