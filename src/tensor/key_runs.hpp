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

}  // namespace coppice::tensor
