#include "pruning/slices.hpp"

#include <bit>
#include <cstring>

namespace coppice::pruning {
namespace {

void mix(Slice& slice, std::uint64_t word) {
  slice.a = (slice.a ^ word) * 0x100000001b3u;
  slice.a ^= slice.a >> 29;
  slice.b = (std::rotl(slice.b, 5) ^ word) * 0x9e3779b97f4a7c15u;
}

void mix(Slice& slice, const std::byte* bytes, std::size_t size) {
  std::uint64_t word = 0;
  for (; size >= 8; size -= 8, bytes += 8) {
    std::memcpy(&word, bytes, 8);
    mix(slice, word);
  }
  if (size == 0) return;
  word = 0;
  std::memcpy(&word, bytes, size);
  mix(slice, word);
}

// Elements of half a byte, each in a byte of its own.
std::vector<std::byte> unpacked(const tensor::Tensor& tensor) {
  std::vector<std::byte> out(static_cast<std::size_t>(tensor.elements()));
  const std::byte* packed = tensor.bytes.data();
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = i % 2 == 0 ? packed[i / 2] & std::byte{15} : packed[i / 2] >> 4;
  return out;
}

}  // namespace

Slices slices(const tensor::Tensor& tensor, std::size_t axis) {
  const auto length = static_cast<std::size_t>(tensor.shape[axis]);
  Slices out(length, {0xcbf29ce484222325u, 0x84222325cbf29ce4u});
  const bool packed = tensor::bit_width(tensor.dtype) < 8;
  std::vector<std::byte> wide;
  if (packed) wide = unpacked(tensor);
  const std::size_t element = packed ? 1 : static_cast<std::size_t>(tensor::bit_width(tensor.dtype)) / 8;
  std::size_t outer = 1, run = element;
  for (std::size_t k = 0; k < tensor.shape.size(); ++k)
    (k < axis ? outer : run) *= k == axis ? 1 : static_cast<std::size_t>(tensor.shape[k]);
  const tensor::Bytes held = tensor.bytes.now();
  const std::byte* next = packed ? wide.data() : held.data();
  for (std::size_t o = 0; o < outer; ++o)
    for (std::size_t i = 0; i < length; ++i, next += run) mix(out[i], next, run);
  return out;
}

}  // namespace coppice::pruning
