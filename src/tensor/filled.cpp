#include "coppice/tensor/filled.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <vector>

#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"

#include "tensor/nonzero_bits.hpp"

namespace coppice::tensor {
namespace {

// Elements that one thread goes through at a time; 64 of them have one word of bits.
constexpr std::size_t block = std::size_t{1} << 16, block_words = block / 64;

std::size_t width_of(const Tensor& tensor) {
  if (!can_leave_out(tensor.dtype)) throw Error("zeros of " + std::string(name(tensor.dtype)) + " cannot be left out");
  return static_cast<std::size_t>(bit_width(tensor.dtype)) / 8;
}

/// Calls body(index of the block, its first element, their number, their bits) for every block, from many threads.
template <class Body>
void for_each_block(const Tensor& tensor, const Body& body) {
  const std::size_t width = width_of(tensor);
  const Bytes bytes = tensor.bytes.now();
  const std::size_t elements = bytes.size() / width;
  base::parallel_for((elements + block - 1) / block, 1, [&](std::size_t begin, std::size_t end) {
    std::array<std::uint64_t, block_words> words;
    for (std::size_t k = begin; k < end; ++k) {
      const std::size_t first = k * block, count = std::min(block, elements - first);
      const std::byte* const at = bytes.data() + first * width;
      nonzero_bits(at, count, width, ~std::uint64_t{0}, words.data());
      body(k, at, count, words.data());
      give_back(bytes.slice(first * width, count * width));
    }
  });
}

std::int64_t ones(const std::uint64_t* words, std::size_t count) {
  std::int64_t out = 0;
  for (std::size_t i = 0; i < count; i += 64) out += std::popcount(words[i / 64]);
  return out;
}

/// For every block how many filled elements stand before it, and at the end their number.
std::vector<std::int64_t> before_blocks(const Tensor& tensor) {
  const std::size_t elements = tensor.bytes.size() / width_of(tensor);
  std::vector<std::int64_t> out((elements + block - 1) / block + 1);
  for_each_block(tensor, [&](std::size_t k, const std::byte*, std::size_t count, const std::uint64_t* words) {
    out[k + 1] = ones(words, count);
  });
  for (std::size_t k = 1; k < out.size(); ++k) out[k] += out[k - 1];
  return out;
}

template <std::size_t width>
void pick(const std::byte* from, std::size_t count, const std::uint64_t* words, std::byte* out) {
  for (std::size_t i = 0; i < count; i += 64, from += 64 * width) {
    for (std::uint64_t word = words[i / 64]; word != 0; word &= word - 1, out += width)
      std::memcpy(out, from + static_cast<std::size_t>(std::countr_zero(word)) * width, width);
  }
}

void pick(std::size_t width, const std::byte* from, std::size_t count, const std::uint64_t* words, std::byte* out) {
  if (width == 1) return pick<1>(from, count, words, out);
  if (width == 2) return pick<2>(from, count, words, out);
  if (width == 4) return pick<4>(from, count, words, out);
  pick<8>(from, count, words, out);
}

template <std::size_t width>
void put(std::span<const std::byte> values, const std::byte* places, std::byte* out) {
  for (std::size_t i = 0; i < values.size(); i += width, places += sizeof(std::int64_t)) {
    std::int64_t place;
    std::memcpy(&place, places, sizeof place);
    std::memcpy(out + static_cast<std::size_t>(place) * width, values.data() + i, width);
  }
}

}  // namespace

bool can_leave_out(DType dtype) {
  const int bits = bit_width(dtype);
  return bits == 8 || bits == 16 || bits == 32 || bits == 64;
}

std::int64_t count_filled(const Tensor& tensor) {
  return before_blocks(tensor).back();
}

void filled_values(const Tensor& tensor, std::span<std::byte> out) {
  const std::size_t width = width_of(tensor);
  const std::vector<std::int64_t> before = before_blocks(tensor);
  for_each_block(tensor, [&](std::size_t k, const std::byte* at, std::size_t count, const std::uint64_t* words) {
    pick(width, at, count, words, out.data() + static_cast<std::size_t>(before[k]) * width);
  });
}

void filled_places(const Tensor& tensor, std::span<std::int64_t> out) {
  const std::vector<std::int64_t> before = before_blocks(tensor);
  for_each_block(tensor, [&](std::size_t k, const std::byte*, std::size_t count, const std::uint64_t* words) {
    auto at = out.begin() + before[k];
    for (std::size_t i = 0; i < count; i += 64) {
      for (std::uint64_t word = words[i / 64]; word != 0; word &= word - 1)
        *at++ = static_cast<std::int64_t>(k * block + i) + std::countr_zero(word);
    }
  });
}

void put_filled(std::span<const std::byte> values, std::span<const std::byte> places, std::size_t width,
                std::span<std::byte> out) {
  std::fill(out.begin(), out.end(), std::byte{0});
  if (width == 1) return put<1>(values, places.data(), out.data());
  if (width == 2) return put<2>(values, places.data(), out.data());
  if (width == 4) return put<4>(values, places.data(), out.data());
  put<8>(values, places.data(), out.data());
}

}  // namespace coppice::tensor
