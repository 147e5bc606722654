#include <array>

#include "coppice/base/error.hpp"
#include "coppice/data/images.hpp"

#include "data/pictures/formats.hpp"
#include "torch/messages.hpp"

namespace coppice::data {
namespace {

template <std::size_t n>
bool begins_with(std::span<const std::byte> file, const std::array<int, n>& bytes) {
  if (file.size() < n) return false;
  for (std::size_t i = 0; i < n; ++i)
    if (std::to_integer<int>(file[i]) != bytes[i]) return false;
  return true;
}

at::Tensor decode(std::span<const std::byte> file, std::int64_t most) {
  if (begins_with(file, std::array{0xff, 0xd8, 0xff})) return decode_jpeg(file, most);
  if (begins_with(file, std::array{0x89, 'P' + 0, 'N' + 0, 'G' + 0})) return decode_png(file, most);
  throw Error("it begins as neither");
}

}  // namespace

void expect_pixels(std::int64_t height, std::int64_t width, std::int64_t most) {
  if (height < 1 || width < 1 || height > most / width)
    throw Error("it has " + std::to_string(height) + " by " + std::to_string(width) + " pixels, and " +
                std::to_string(most) + " are the most");
}

at::Tensor decode_picture(std::span<const std::byte> file, const std::string& name, std::int64_t most) {
  try {
    return decode(file, most).permute({2, 0, 1}).contiguous();
  } catch (const Error& error) {
    throw Error(name + ": expected a JPEG or PNG picture: " + error.what());
  }
}

at::Tensor fit_picture(const at::Tensor& picture, std::int64_t size) {
  if (picture.dim() != 3 || picture.scalar_type() != at::kByte || picture.numel() == 0)
    throw Error("picture: expected bytes with axes channels, height and width, found " + shape_text(picture.sizes()));
  if (size < 1) throw Error("picture: expected a side of 1 pixel or more, found " + std::to_string(size));
  std::int64_t height = picture.size(1), width = picture.size(2);
  at::Tensor out = picture;
  if (const std::int64_t shorter = std::min(height, width); shorter != size) {
    const auto scaled = [&](std::int64_t side) {
      return side == shorter ? size : static_cast<std::int64_t>(static_cast<double>(side) * size / shorter);
    };
    height = scaled(height);
    width = scaled(width);
    if (height > most_pixels / width)
      throw Error("picture: expected one that is less oblong than " + shape_text(picture.sizes()) + ", which becomes " +
                  std::to_string(height) + " by " + std::to_string(width) + " pixels");
    out = at::_upsample_bilinear2d_aa(picture.unsqueeze(0).to(at::kFloat), {height, width}, false)
              .squeeze(0)
              .round_()
              .clamp_(0, 255)
              .to(at::kByte);
  }
  return out.narrow(1, (height - size) / 2, size).narrow(2, (width - size) / 2, size).contiguous();
}

}  // namespace coppice::data
