#include "support/pictures.hpp"

#include <gtest/gtest.h>

#include "coppice/data/images.hpp"

#include "data/small.hpp"
#include "support/message.hpp"

namespace coppice::data {
namespace {

using namespace std::string_literals;
using test::jpeg;
using test::png;

at::Tensor decoded(const std::string& file) {
  return decode_picture(std::as_bytes(std::span(file)), "picture");
}

std::string refusal(const std::string& file) {
  return test::message([&] { decoded(file); });
}

// Two blocks of 8 by 8 side by side.
std::vector<std::uint8_t> blocks(const std::vector<std::uint8_t>& left, const std::vector<std::uint8_t>& right) {
  std::vector<std::uint8_t> out;
  for (int row = 0; row < 8; ++row)
    for (int column = 0; column < 16; ++column)
      for (const std::uint8_t value : column < 8 ? left : right) out.push_back(value);
  return out;
}

void expect_blocks(const at::Tensor& picture, const std::vector<int>& left, const std::vector<int>& right, int off) {
  ASSERT_EQ(picture.sizes(), (std::vector<std::int64_t>{3, 8, 16}));
  const auto near = [&](int channel, int begin, int value) {
    return picture[channel].narrow(1, begin, 8).to(at::kInt).sub(value).abs().max().item<int>() <= off;
  };
  for (std::size_t c = 0; c < 3; ++c) {
    EXPECT_TRUE(near(static_cast<int>(c), 0, left[c])) << c;
    EXPECT_TRUE(near(static_cast<int>(c), 8, right[c])) << c;
  }
}

TEST(Jpeg, BecomesColours) {
  expect_blocks(decoded(jpeg(blocks({40}, {200}), 16, 8)), {40, 40, 40}, {200, 200, 200}, 0);
  // Brightness and two colour differences are rounded to whole numbers, with factors of up to 1.772 between.
  const std::vector<std::uint8_t> colours = blocks({200, 30, 90}, {10, 220, 40});
  const at::Tensor plain = decoded(jpeg(colours, 16, 8, {.channels = 3}));
  EXPECT_NEAR(plain[0][0][0].item<int>(), 200, 2);
  EXPECT_NEAR(plain[1][0][0].item<int>(), 30, 2);
  EXPECT_NEAR(plain[2][0][0].item<int>(), 90, 2);
  EXPECT_TRUE(decoded(jpeg(colours, 16, 8, {.channels = 3, .progressive = true})).equal(plain));
}

TEST(Jpeg, TurnsInksIntoColours) {
  const std::vector<std::uint8_t> inks = blocks({100, 200, 50, 128}, {255, 255, 255, 255});
  // Adobe's files hold what the inks leave: 100 * 128 / 255 and so on.
  expect_blocks(decoded(jpeg(inks, 16, 8, {.channels = 4})), {50, 100, 25}, {255, 255, 255}, 0);
  // Others hold the inks: (255 - 100) * (255 - 128) / 255.
  expect_blocks(decoded(jpeg(inks, 16, 8, {.channels = 4, .adobe = false})), {77, 27, 102}, {0, 0, 0}, 0);
}

TEST(Jpeg, RefusesWhatIsCutShort) {
  for (const bool progressive : {false, true}) {
    const std::string file = jpeg(blocks({40}, {200}), 16, 8, {.progressive = progressive});
    for (std::size_t size = 0; size < file.size(); ++size)
      EXPECT_NE(refusal(file.substr(0, size)), "no error") << size << " of " << file.size();
    EXPECT_EQ(refusal(file + "trailing bytes"), "no error");
  }
  EXPECT_EQ(refusal(jpeg(blocks({40}, {200}), 16, 8).substr(0, 100)),
            "picture: expected a JPEG or PNG picture: Premature end of JPEG file");
}

TEST(Jpeg, BoundsPixelsAndPasses) {
  std::string file = jpeg(blocks({40}, {200}), 16, 8);
  // The frame header: marker, length, bits, height, width.
  const std::size_t frame = file.find("\xff\xc0"s);
  file.replace(frame + 5, 4, "\x40\x00\x40\x00"s);
  EXPECT_EQ(refusal(file),
            "picture: expected a JPEG or PNG picture: it has 16384 by 16384 pixels, and 67108864 are the most");
}

TEST(Jpeg, BoundsPasses) {
  // A pass for each of the 64 frequencies, and 63 more for the last bit of all but the first.
  std::vector<jpeg_scan_info> passes{{1, {0}, 0, 0, 0, 0}};
  for (int k = 1; k < 64; ++k) passes.push_back({1, {0}, k, k, 0, 0});
  EXPECT_TRUE(
      decoded(jpeg(blocks({40}, {200}), 16, 8, {.passes = passes})).equal(decoded(jpeg(blocks({40}, {200}), 16, 8))));
  for (int k = 1; k < 64; ++k) {
    passes[static_cast<std::size_t>(k)].Al = 1;
    passes.push_back({1, {0}, k, k, 1, 0});
  }
  EXPECT_EQ(refusal(jpeg(blocks({40}, {200}), 16, 8, {.passes = passes})),
            "picture: expected a JPEG or PNG picture: it has more than 100 passes");
}

TEST(Png, BecomesColours) {
  EXPECT_TRUE(decoded(png({"\1\2\3\4\5\6", "\x7\x8\x9\xa\xb\xff"}, 2))
                  .equal(bytes({1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 255}, {3, 2, 2})));
  const auto grey = [](const std::vector<std::int64_t>& values) {
    return bytes(values, {1, 1, static_cast<std::int64_t>(values.size())})
        .expand({3, 1, static_cast<std::int64_t>(values.size())});
  };
  EXPECT_TRUE(decoded(png({"\5\xc8"}, 2, {.colour = 0})).equal(grey({5, 200})));
  EXPECT_TRUE(decoded(png({"\xb0"}, 4, {.depth = 1, .colour = 0})).equal(grey({255, 0, 255, 255})));
  // 257 times as much is the same shade in 16 bits.
  EXPECT_TRUE(
      decoded(png({"\x80\x80\0\0\xff\xff\x07\x07"s}, 4, {.depth = 16, .colour = 0})).equal(grey({128, 0, 255, 7})));
  EXPECT_TRUE(decoded(png({"\x80\x80\x01\x01\xfe\xfe"}, 1, {.depth = 16})).equal(bytes({128, 1, 254}, {3, 1, 1})));
}

TEST(Png, TakesColoursFromPalettesAndLeavesTransparencyAside) {
  const std::string palette = "\xff\0\0\0\x80\x40"s;
  const at::Tensor expected = bytes({0, 255, 128, 0, 64, 0}, {3, 1, 2});
  EXPECT_TRUE(decoded(png({"\1\0"s}, 2, {.colour = 3, .palette = palette})).equal(expected));
  EXPECT_TRUE(decoded(png({"\1\0"s}, 2, {.colour = 3, .palette = palette, .transparency = "\0\x80"s})).equal(expected));
  EXPECT_TRUE(decoded(png({"\1\2\3\0\4\5\6\x40"s}, 2, {.colour = 6})).equal(bytes({1, 4, 2, 5, 3, 6}, {3, 1, 2})));
  EXPECT_TRUE(decoded(png({"\x9\0"s}, 1, {.colour = 4})).equal(bytes({9, 9, 9}, {3, 1, 1})));
}

TEST(Png, RefusesDamage) {
  const std::string file = png({"\1\2\3\4\5\6", "\x7\x8\x9\xa\xb\xff"}, 2);
  // Up to the chunk that only says that this is the end.
  for (std::size_t size = 0; size + 12 < file.size(); ++size)
    EXPECT_NE(refusal(file.substr(0, size)), "no error") << size << " of " << file.size();
  std::string checksum = file;
  checksum[file.size() - 13] ^= 1;
  EXPECT_NE(refusal(checksum), "no error");
  std::string huge = file;
  huge.replace(8, 25, test::png_chunk("IHDR", test::big_endian(100000) + test::big_endian(100000) + "\x8\2\0\0\0"s));
  EXPECT_EQ(refusal(huge),
            "picture: expected a JPEG or PNG picture: it has 100000 by 100000 pixels, and 67108864 are the most");
  EXPECT_EQ(refusal("GIF89a"), "picture: expected a JPEG or PNG picture: it begins as neither");
  EXPECT_EQ(refusal(""), "picture: expected a JPEG or PNG picture: it begins as neither");
}

TEST(FitPicture, ScalesTheShorterSideAndTakesTheMiddle) {
  // Halved, each pixel is made of those up to two from its middle, weighed 0.25 0.75 0.75 0.25 as far as they are
  // there: (0.75 * 10 + 0.75 * 20 + 0.25 * 60) / 1.75 = 21.4 and (0.25 * 20 + 0.75 * 60 + 0.75 * 200) / 1.75 = 114.3.
  const at::Tensor row = bytes({10, 20, 60, 200}, {1, 1, 4});
  EXPECT_TRUE(fit_picture(row.expand({3, 4, 4}), 2).equal(bytes({21, 114}, {1, 1, 2}).expand({3, 2, 2})));
  // Twice as large, those within one: 0.75 and 0.25.
  EXPECT_TRUE(fit_picture(bytes({100, 200}, {1, 1, 2}).expand({3, 2, 2}), 4)
                  .equal(bytes({100, 125, 175, 200}, {1, 1, 4}).expand({3, 4, 4})));
  // As they are, but for what stands over on the left and right, or above and below.
  EXPECT_TRUE(fit_picture(row.expand({3, 2, 4}), 2).equal(bytes({20, 60}, {1, 1, 2}).expand({3, 2, 2})));
  EXPECT_TRUE(
      fit_picture(row.reshape({1, 4, 1}).expand({3, 4, 3}), 3).equal(bytes({10, 20, 60}, {1, 3, 1}).expand({3, 3, 3})));
  EXPECT_NE(test::message([&] {
              fit_picture(row.expand({3, 1, 4}), 10000);
            }).find("less oblong than 3x1x4"),
            std::string::npos);
  EXPECT_THROW(fit_picture(row, 0), Error);
  EXPECT_THROW(fit_picture(row.to(at::kFloat), 1), Error);
}

}  // namespace
}  // namespace coppice::data
