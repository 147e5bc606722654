#include <atomic>
#include <cstring>

#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"
#include "coppice/tensor/kernels.hpp"

#include "tensor/checks.hpp"
#include "tensor/decode.hpp"
#include "tensor/zero_bits.hpp"

namespace coppice::tensor {
namespace {

// In short runs with a narrow counter, which compilers turn into vector code.
template <class T>
std::size_t count_equal(const std::byte* at, std::size_t count, ZeroBits zero) {
  constexpr std::size_t kRun = 128;
  const T mask = static_cast<T>(zero.mask), bits = static_cast<T>(zero.bits);
  std::size_t total = 0;
  for (std::size_t first = 0; first < count; first += kRun) {
    const std::size_t end = std::min(count, first + kRun);
    T found = 0;
    for (std::size_t i = first; i < end; ++i) {
      T value;
      std::memcpy(&value, at + i * sizeof(T), sizeof(T));
      found = static_cast<T>(found + (static_cast<T>(value & mask) == bits ? 1 : 0));
    }
    total += found;
  }
  return total;
}

std::size_t count_run(const Tensor& tensor, std::size_t first, std::size_t count, ZeroBits zero) {
  const auto width = static_cast<std::size_t>(bit_width(tensor.dtype));
  const std::byte* at = tensor.bytes.data() + first * width / 8;
  std::size_t total = 0;
  if (tensor.dtype == DType::complex64 || tensor.dtype == DType::complex128) {
    for (std::size_t i = 0; i < count; ++i, at += width / 8) {
      total += (width == 64 ? count_equal<std::uint32_t>(at, 2, zero) : count_equal<std::uint64_t>(at, 2, zero)) == 2;
    }
    return total;
  }
  switch (width) {
    case 4:
      for (std::size_t i = first; i < first + count; ++i) {
        total += (nibble(tensor.bytes.data(), static_cast<std::int64_t>(i)) & zero.mask) == zero.bits;
      }
      return total;
    case 8:
      return count_equal<std::uint8_t>(at, count, zero);
    case 16:
      return count_equal<std::uint16_t>(at, count, zero);
    case 32:
      return count_equal<std::uint32_t>(at, count, zero);
    default:
      return count_equal<std::uint64_t>(at, count, zero);
  }
}

}  // namespace

std::int64_t count_zeros(const Tensor& tensor, const ZeroPoint& zero) {
  check_bytes("count_zeros", tensor);
  if (tensor.dtype == DType::string) throw Error("count_zeros: expected numbers, found strings");
  const auto bits = zero_bits("count_zeros", tensor, zero);
  std::atomic<std::int64_t> total{0};
  base::parallel_for(
      static_cast<std::size_t>(tensor.elements()), std::size_t{1} << 18, [&](std::size_t begin, std::size_t end) {
        std::size_t found = 0;
        for_each_zero_run(tensor, zero, begin, end - begin, [&](std::size_t first, std::size_t count, std::size_t i) {
          found += count_run(tensor, first, count, bits[i]);
        });
        total += static_cast<std::int64_t>(found);
        const auto bits_each = static_cast<std::size_t>(bit_width(tensor.dtype));
        give_back(tensor.bytes.slice(begin * bits_each / 8, (end - begin) * bits_each / 8));
      });
  return total;
}

}  // namespace coppice::tensor
