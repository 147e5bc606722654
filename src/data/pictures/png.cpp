#include <string>

#include <png.h>

#include "coppice/base/error.hpp"

#include "data/pictures/formats.hpp"

namespace coppice::data {
namespace {

struct Png {
  png_image image{};
  ~Png() { png_image_free(&image); }
};

}  // namespace

at::Tensor decode_png(std::span<const std::byte> file, std::int64_t most) {
  Png png;
  png_image& image = png.image;
  image.version = PNG_IMAGE_VERSION;
  const auto check = [&](int done) {
    // Warnings are of what stands beside the pixels, such as a damaged comment.
    if (!done || PNG_IMAGE_FAILED(image)) throw Error(image.message);
  };
  check(png_image_begin_read_from_memory(&image, file.data(), file.size()));
  expect_pixels(image.height, image.width, most);
  // Otherwise 16 bits would be taken for light instead of colour values, and come out brighter.
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  const bool transparent = (image.format & PNG_FORMAT_FLAG_ALPHA) != 0;
  image.format = transparent ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB;
  const at::Tensor pixels = at::empty({image.height, image.width, transparent ? 4 : 3}, at::kByte);
  check(png_image_finish_read(&image, nullptr, pixels.data_ptr<std::uint8_t>(), 0, nullptr));
  return pixels.narrow(2, 0, 3);
}

}  // namespace coppice::data
