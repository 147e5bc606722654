#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "coppice/tensor/kernels.hpp"

namespace coppice::tensor {

/// The stored bits of a zero, and the mask of those bits that tell a zero from another element (without the sign).
struct ZeroBits {
  std::uint64_t bits = 0, mask = 0;
};

/// One for each value of `zero`; one in all when it is empty. Complex types count by their two halves. Throws Error
/// when a value can't be an element of the tensor.
std::vector<ZeroBits> zero_bits(std::string_view where, const Tensor& tensor, const ZeroPoint& zero);

/// Not packed ones, and not complex ones, of which one element is two numbers.
inline bool elements_of_whole_bytes(DType dtype) {
  return bit_width(dtype) >= 8 && dtype != DType::complex64 && dtype != DType::complex128;
}

/// Calls body(first element, count, index into zero.values) for every run of elements with one zero point that lies in
/// [first, first + count).
template <class Body>
void for_each_zero_run(const Tensor& tensor, const ZeroPoint& zero, std::size_t first, std::size_t count,
                       const Body& body) {
  if (zero.values.size() <= 1) return body(first, count, std::size_t{0});
  std::size_t inner = 1;
  for (std::size_t i = zero.axis + 1; i < tensor.shape.size(); ++i) inner *= static_cast<std::size_t>(tensor.shape[i]);
  for (const std::size_t end = first + count; first < end;) {
    const std::size_t run = std::min(end - first, inner - first % inner);
    body(first, run, first / inner % zero.values.size());
    first += run;
  }
}

}  // namespace coppice::tensor
