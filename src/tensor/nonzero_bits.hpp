#pragma once
#include <cstddef>
#include <cstdint>

namespace coppice::tensor {

/// Bit i % 64 of out[i / 64] becomes 1 where element i, of 1, 2, 4 or 8 bytes, has a bit of `mask`; bits behind the
/// last element become 0. `data` may be unaligned.
void nonzero_bits(const std::byte* data, std::size_t count, std::size_t element_bytes, std::uint64_t mask,
                  std::uint64_t* out);

}  // namespace coppice::tensor
