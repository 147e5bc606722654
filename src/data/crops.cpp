#include <algorithm>
#include <cmath>
#include <string>

#include "coppice/base/error.hpp"
#include "coppice/data/transforms.hpp"

#include "data/expect_pictures.hpp"

namespace coppice::data {
namespace {

void expect_size(std::int64_t size) {
  if (size < 1) throw Error("crop: expected a side of 1 pixel or more, found " + std::to_string(size));
}

void expect_room(const at::Tensor& pictures, std::int64_t size) {
  expect_pictures(pictures);
  if (pictures.size(2) < size || pictures.size(3) < size)
    throw Error("crop: expected pictures of " + std::to_string(size) + " pixels a side or more, found " +
                std::to_string(pictures.size(2)) + " by " + std::to_string(pictures.size(3)));
}

at::Tensor piece(const at::Tensor& picture, std::int64_t top, std::int64_t left, std::int64_t height,
                 std::int64_t width) {
  return picture.narrow(-2, top, height).narrow(-1, left, width);
}

at::Tensor empty_like(const at::Tensor& pictures, std::int64_t size) {
  return at::empty({pictures.size(0), pictures.size(1), size, size}, pictures.options());
}

}  // namespace

Transform centre_crop(std::int64_t size) {
  expect_size(size);
  return [size](at::Tensor pictures, Draws&) {
    expect_room(pictures, size);
    return piece(pictures, (pictures.size(2) - size) / 2, (pictures.size(3) - size) / 2, size, size).contiguous();
  };
}

Transform random_crop(std::int64_t size) {
  expect_size(size);
  return [size](at::Tensor pictures, Draws& draws) {
    expect_room(pictures, size);
    at::Tensor out = empty_like(pictures, size);
    for (std::int64_t i = 0; i < pictures.size(0); ++i) {
      const std::int64_t top = draws.below(pictures.size(2) - size + 1),
                         left = draws.below(pictures.size(3) - size + 1);
      out[i].copy_(piece(pictures[i], top, left, size, size));
    }
    return out;
  };
}

Transform random_resized_crop(std::int64_t size, double least) {
  expect_size(size);
  if (!(least > 0 && least <= 1))
    throw Error("random resized crop: expected a least share of the picture above 0 and at most 1, found " +
                std::to_string(least));
  return [=](at::Tensor pictures, Draws& draws) {
    expect_pictures(pictures);
    const std::int64_t height = pictures.size(2), width = pictures.size(3);
    at::Tensor out = empty_like(pictures, size);
    for (std::int64_t i = 0; i < pictures.size(0); ++i) {
      const double area = (least + (1 - least) * draws.unit()) * static_cast<double>(height * width);
      // Square roots are exact everywhere; logarithms, by which ratios are often drawn, differ from library to library.
      const double longer = 1 + draws.unit() / 3, ratio = draws.coin() ? longer : 1 / longer;
      const auto side = [](double exact, std::int64_t most) {
        return std::clamp<std::int64_t>(std::llround(exact), 1, most);
      };
      const std::int64_t h = side(std::sqrt(area / ratio), height), w = side(std::sqrt(area * ratio), width);
      const std::int64_t top = draws.below(height - h + 1), left = draws.below(width - w + 1);
      const at::Tensor part = piece(pictures[i], top, left, h, w).unsqueeze(0).contiguous();
      out[i].copy_(at::_upsample_bilinear2d_aa(part, {size, size}, false).squeeze(0));
    }
    return out;
  };
}

}  // namespace coppice::data
