#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

#include "coppice/torch/aten.hpp"

namespace coppice::data {

/// Bytes [height, width, 3]. Throw Error, without the file's name, for damage and for more than `most` pixels.
at::Tensor decode_jpeg(std::span<const std::byte> file, std::int64_t most);
at::Tensor decode_png(std::span<const std::byte> file, std::int64_t most);

/// Throws Error for more than `most`, or none.
void expect_pixels(std::int64_t height, std::int64_t width, std::int64_t most);

}  // namespace coppice::data
