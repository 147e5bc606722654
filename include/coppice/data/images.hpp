#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "coppice/data/read.hpp"

namespace coppice::data {

/// Larger pictures are refused before memory is taken for them, where nothing else is asked for.
inline constexpr std::int64_t most_pixels = std::int64_t{1} << 26;

/// A JPEG or PNG file as bytes [3, height, width], red first: greyscale becomes three equal channels, a palette its
/// colours, 16 bits 8, CMYK red, green and blue; transparency and the turn that a camera notes down are left aside.
/// Throws Error, which begins with `name`, for damage, other formats, and more than `most` pixels.
at::Tensor decode_picture(std::span<const std::byte> file, const std::string& name, std::int64_t most = most_pixels);

/// Bytes [3, height, width] as [3, size, size]: scaled until the shorter side fits, bilinear and antialiased, and the
/// middle of that. Throws Error for a picture so oblong that the whole would have more than `most_pixels`.
at::Tensor fit_picture(const at::Tensor& picture, std::int64_t size);

/// A folder with a folder for each class, numbered by their names in order; all files below those that end in .jpg,
/// .jpeg or .png, in order of their names. Pictures are decoded and fitted to `size` when they are fetched. Names that
/// begin with a dot are passed over.
///
/// Parts are folders train and test (or val) that hold the folders of the classes; the classes of train count for both.
/// A folder without train, or with other folders beside these, has no parts.
///
/// Throws Error for a folder without classes, a class without pictures, and a class of the test part that train does
/// not have.
DatasetPtr read_image_folder(const std::string& folder, std::int64_t size, Part part = Part::training,
                             Damaged damaged = Damaged::refused);

}  // namespace coppice::data
