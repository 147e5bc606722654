#include "tensor/group_counts.hpp"

#include <algorithm>
#include <cstddef>

namespace coppice::tensor {
namespace {

constexpr std::size_t run = 64;  // words at a time, so that all of it stays in the first-level cache

// Bytes that each hold one count.
std::uint8_t largest_byte(const std::uint64_t* words, int shift, std::uint64_t mask) {
  std::uint8_t bytes[run * 8];
  for (std::size_t k = 0; k < run; ++k) {
    const std::uint64_t word = words[k] >> shift & mask;
    __builtin_memcpy(bytes + 8 * k, &word, 8);
  }
  std::uint8_t out = 0;
  for (const std::uint8_t count : bytes) out = std::max(out, count);
  return out;
}

}  // namespace

// Neighbouring counts are added up in place: 2-bit fields, then 4, 8, 16 and 32 bits wide.
void raise_group_counts(std::span<const std::uint64_t> words, GroupCounts& most) {
  const auto raise = [&most](std::size_t k, std::uint8_t count) { most[k] = std::max(most[k], count); };
  for (std::size_t first = 0; first < words.size(); first += run) {
    std::uint64_t sums[run] = {};
    std::uint64_t any = 0, both = 0;
    for (std::size_t k = 0; k < std::min(run, words.size() - first); ++k) {
      const std::uint64_t word = words[first + k];
      any |= word;
      both |= word & word >> 1 & 0x5555555555555555u;
      sums[k] = word - (word >> 1 & 0x5555555555555555u);
    }
    raise(0, both != 0 ? 2 : any != 0 ? 1 : 0);
    for (std::uint64_t& s : sums) s = (s & 0x3333333333333333u) + (s >> 2 & 0x3333333333333333u);
    raise(1, largest_byte(sums, 0, 0x0f0f0f0f0f0f0f0fu));
    raise(1, largest_byte(sums, 4, 0x0f0f0f0f0f0f0f0fu));
    for (std::uint64_t& s : sums) s = (s + (s >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    raise(2, largest_byte(sums, 0, ~std::uint64_t{0}));
    for (std::uint64_t& s : sums) s = (s + (s >> 8)) & 0x00ff00ff00ff00ffu;
    raise(3, largest_byte(sums, 0, ~std::uint64_t{0}));
    for (std::uint64_t& s : sums) s = (s + (s >> 16)) & 0x000000ff000000ffu;
    raise(4, largest_byte(sums, 0, ~std::uint64_t{0}));
  }
}

}  // namespace coppice::tensor
