#include "picture_seeds.hpp"

#include <cstdint>

#include "support/pictures.hpp"

namespace coppice::fuzz {

std::vector<std::pair<std::string, std::string>> picture_seeds() {
  using test::jpeg;
  using test::png;
  using namespace std::string_literals;
  std::vector<std::uint8_t> pixels(64 * 4);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 37);
  const std::string palette = "\xff\0\0\0\x80\x40"s;
  return {{"grey.jpg", jpeg(pixels, 8, 8)},
          {"colour.jpg", jpeg(pixels, 8, 8, {.channels = 3})},
          {"inks.jpg", jpeg(pixels, 8, 8, {.channels = 4})},
          {"progressive.jpg", jpeg(pixels, 8, 8, {.channels = 3, .progressive = true})},
          {"colour.png", png({"\1\2\3\4\5\6", "\7\x8\x9\xa\xb\xc"}, 2)},
          {"bits.png", png({"\xb0"}, 4, {.depth = 1, .colour = 0})},
          {"wide.png", png({"\1\2\3\4\5\6"}, 1, {.depth = 16})},
          {"palette.png", png({"\1\0"s}, 2, {.colour = 3, .palette = palette, .transparency = "\0\x80"s})},
          {"alpha.png", png({"\1\2\3\4"}, 1, {.colour = 6})}};
}

}  // namespace coppice::fuzz
