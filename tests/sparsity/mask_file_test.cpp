#include "coppice/sparsity/mask_file.hpp"

#include <cstring>
#include <filesystem>

#include <gtest/gtest.h>

#include "coppice/base/error.hpp"
#include "coppice/formats/safetensors.hpp"
#include "coppice/tensor/kernels.hpp"

#include "models.hpp"
#include "support/message.hpp"
#include "support/scratch.hpp"

namespace coppice::sparsity {
namespace {

TEST(MaskFile, GivesBackWhatWasWritten) {
  const test::Scratch scratch;
  const std::string path = scratch / "masks.safetensors";
  graph::Model model = all_kinds();
  const Sparsifier sparsifier(model, {.sparsity = 0.37, .context = Context::global});
  write_masks(sparsifier.masks(), path);
  const std::vector<LayerMask> masks = read_masks(path);
  ASSERT_EQ(masks.size(), sparsifier.masks().size());
  for (std::size_t i = 0; i < masks.size(); ++i) {
    EXPECT_EQ(masks[i].mask, sparsifier.masks()[i].mask);
    EXPECT_EQ(masks[i].site.name, sparsifier.masks()[i].site.name);
    EXPECT_EQ(masks[i].site.shape, sparsifier.masks()[i].site.shape);
  }
  graph::Model other = all_kinds();
  sparsifier.apply(model);
  Sparsifier(masks).apply(other);
  for (const LayerMask& layer : masks) {
    const Tensor &a = weight(model, layer.site.name), &b = weight(other, layer.site.name);
    EXPECT_EQ(std::memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()), 0);
  }
}

TEST(MaskFile, HoldsOneBitAWeightInOrder) {
  const test::Scratch scratch;
  const std::string path = scratch / "masks.safetensors";
  tensor::Mask mask = tensor::Mask::all(11);
  mask.drop(0);
  mask.drop(9);
  write_masks(std::vector<LayerMask>{{Site{.name = "w", .shape = {11}}, mask}}, path);
  const formats::SafetensorsFile file(path);
  ASSERT_EQ(file.bytes(0).size(), 2u);
  EXPECT_EQ(std::to_integer<int>(file.bytes(0).span()[0]), 0b11111110);
  EXPECT_EQ(std::to_integer<int>(file.bytes(0).span()[1]), 0b00000101);
}

TEST(MaskFile, IsWrittenMaskByMask) {
  const test::Scratch scratch;
  const std::string at_once = scratch / "a", streamed = scratch / "b";
  const Sparsifier sparsifier(all_kinds(), {});
  write_masks(sparsifier.masks(), at_once);
  std::vector<Site> sites;
  for (const LayerMask& layer : sparsifier.masks()) sites.push_back(layer.site);
  {
    MaskWriter writer(sites, streamed);
    for (const LayerMask& layer : sparsifier.masks()) writer.write(layer.mask);
    EXPECT_THROW(writer.write(sparsifier.masks()[0].mask), Error);
  }
  EXPECT_FALSE(std::filesystem::exists(streamed));
  MaskWriter writer(sites, streamed);
  for (const LayerMask& layer : sparsifier.masks()) writer.write(layer.mask);
  writer.commit();
  const formats::SafetensorsFile a(at_once), b(streamed);
  EXPECT_EQ(a.layout().header, b.layout().header);
  for (std::size_t i = 0; i < a.entries().size(); ++i)
    EXPECT_EQ(std::memcmp(a.bytes(i).data(), b.bytes(i).data(), a.bytes(i).size()), 0);
  EXPECT_THROW(MaskWriter(sites, streamed).write(tensor::Mask::all(1)), Error);
  EXPECT_THROW(MaskWriter(sites, streamed).commit(), Error);
  sites.push_back(sites[0]);  // one name twice
  EXPECT_THROW(MaskWriter(sites, streamed), Error);
}

TEST(MaskFile, RefusesOtherFiles) {
  const test::Scratch scratch;
  const std::string path = scratch / "masks.safetensors";
  const auto refused = [&](std::vector<std::uint8_t> bytes,
                           const std::optional<formats::SafetensorsMetadata>& metadata) {
    const auto size = static_cast<std::int64_t>(bytes.size());
    formats::write_safetensors({{"w", Tensor::of<std::uint8_t>(DType::uint8, {size}, bytes)}}, path, metadata);
    try {
      read_masks(path);
    } catch (const Error& error) {
      return std::string(error.what()).starts_with(path);
    }
    return false;
  };
  const std::pair<std::string, std::string> version{"coppice", "masks 1"};
  EXPECT_FALSE(refused({7}, {{version, {"shape of w", "3"}}}));
  EXPECT_TRUE(refused({7}, {}));
  EXPECT_TRUE(refused({7}, {{{"coppice", "masks 2"}, {"shape of w", "3"}}}));
  EXPECT_TRUE(refused({7}, {{version}}));
  EXPECT_TRUE(refused({7}, {{version, {"shape of w", "3x"}}}));
  EXPECT_TRUE(refused({7}, {{version, {"shape of w", "-3"}}}));
  EXPECT_TRUE(refused({7}, {{version, {"shape of w", "9"}}}));
  EXPECT_TRUE(refused({7, 0}, {{version, {"shape of w", "3"}}}));
  EXPECT_TRUE(refused({15}, {{version, {"shape of w", "3"}}}));
  EXPECT_TRUE(refused({7}, {{version, {"shape of w", "4294967296x4294967296"}}}));
  formats::write_safetensors({}, path, {{version}});
  EXPECT_EQ(test::message([&] { read_masks(path); }), path + ": expected masks, found none");
  EXPECT_TRUE(refused({7}, {{version, {"shape of w", "9223372036854775807"}}}));
  EXPECT_TRUE(refused({7}, {{version, {"shape of w", "9223372036854775807x2"}}}));
  EXPECT_THROW(read_masks(scratch / "none"), Error);
}

}  // namespace
}  // namespace coppice::sparsity
