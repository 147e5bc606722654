#pragma once
#include <cstddef>
#include <cstdint>

namespace coppice::tensor {

// Vector loops over runs of keys: signed numbers of 2, 4 or 8 bytes whose order is that of what competes. The bits of a
// float without its sign are such a key of its absolute value. Data may be unaligned.

/// Elements of a run at most: what is counted in lanes of 16 bits must fit them, and scratch memory the first cache.
inline constexpr std::size_t kMostKeys = 4096;
/// What `inside` of scan_keys must have room for.
inline constexpr std::size_t kScratchKeys = kMostKeys + 64;

struct KeyRun {
  const std::byte* data = nullptr;
  std::size_t count = 0;   ///< At most kMostKeys.
  std::size_t width = 4;   ///< Bytes of a key.
  bool magnitudes = true;  ///< The sign bit is not part of the key.
};

struct KeyCounts {
  std::size_t below = 0, at_low = 0, inside = 0, at_high = 0;
  bool beyond = false;  ///< Some key is above `limit`.
};

/// Counts keys below, at, and between two bounds, and copies the latter, in order, to `inside`. A key that equals both
/// bounds counts as at_low.
KeyCounts scan_keys(const KeyRun& run, std::int64_t low, std::int64_t high, std::int64_t limit, std::byte* inside);
/// Copies the run with keys below `bound` as +0. In place or apart.
void zero_keys(const KeyRun& run, std::int64_t bound, std::byte* out);
/// Bit i is whether key i is not below `bound`; (count + 63) / 64 words.
void mask_keys(const KeyRun& run, std::int64_t bound, std::uint64_t* words);
/// Copies the run with elements whose bit is 0 as +0. In place or apart.
void zero_unmasked(const KeyRun& run, const std::uint64_t* words, std::byte* out);

/// `of` rows of `inner` keys each, row after row, `blocks` times: at each of the inner places the `keep` largest of the
/// rows stay, of equal ones the lower row goes first. KeyRun::count is blocks * of * inner, and may be any number here.
struct KeyGroups {
  std::size_t keep = 2, of = 4, inner = 1;
};
/// Copies the run with keys that go as +0, in place or apart; with `marks`, those that stay as all ones.
void keep_largest(const KeyRun& run, const KeyGroups& groups, bool marks, std::byte* out);

/// Joins `count` bits to those at `words` from bit `first` on, which were 0.
inline void put_bits(std::uint64_t* words, std::int64_t first, const std::uint64_t* bits, std::size_t count) {
  const auto shift = static_cast<unsigned>(first % 64);
  std::uint64_t* const to = words + first / 64;
  for (std::size_t i = 0; i < (count + 63) / 64; ++i) {
    to[i] |= bits[i] << shift;
    const std::uint64_t over = shift == 0 ? 0 : bits[i] >> (64 - shift);
    if (over != 0) to[i + 1] |= over;
  }
}

}  // namespace coppice::tensor
