// Any bytes either are refused with an Error or give a picture of bytes that can be fitted to a side.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "coppice/base/error.hpp"
#include "coppice/data/images.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::int64_t most = 1 << 16, side = 16;
  try {
    const at::Tensor picture = coppice::data::decode_picture(std::as_bytes(std::span(data, size)), "input", most);
    if (picture.dim() != 3 || picture.size(0) != 3 || picture.numel() > 3 * most) std::abort();
    const at::Tensor fitted = coppice::data::fit_picture(picture, side);
    if (fitted.numel() != 3 * side * side) std::abort();
  } catch (const coppice::Error&) {
  }
  return 0;
}
