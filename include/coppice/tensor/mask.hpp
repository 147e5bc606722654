#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "coppice/tensor/tensor.hpp"

namespace coppice::tensor {

/// Which elements of a tensor stay: one bit an element in memory order, bit i % 64 of word i / 64, 1 for stays. Bits
/// behind the last element are 0.
struct Mask {
  std::int64_t elements = 0;
  std::vector<std::uint64_t> words;

  /// All stay. Throws Error on a negative number.
  static Mask all(std::int64_t elements);
  bool stays(std::int64_t i) const { return (words[static_cast<std::size_t>(i / 64)] >> (i % 64) & 1) != 0; }
  void drop(std::int64_t i) { words[static_cast<std::size_t>(i / 64)] &= ~(std::uint64_t{1} << (i % 64)); }
  std::int64_t dropped() const;
  friend bool operator==(const Mask&, const Mask&) = default;
};

/// What stays in both. Throws Error when they are of different lengths.
Mask both(const Mask& a, const Mask& b);

/// Writes the tensor's elements to `out`, those that do not stay as +0; what stays keeps its bits, NaN included. `out`
/// is as long as the tensor's bytes and either those very bytes, which are then changed in place, or apart from them.
/// fp64, fp32, fp16 and bf16. Memory traffic: each weight read and written once, 1 bit of mask a weight.
/// Throws Error on another type, or when lengths differ.
void apply_mask(const Mask& mask, const Tensor& tensor, std::span<std::byte> out);
/// The same into a new tensor.
Tensor apply_mask(const Mask& mask, const Tensor& tensor);

}  // namespace coppice::tensor
