#include "coppice/tensor/mask.hpp"

#include <algorithm>
#include <bit>
#include <string>

#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"

#include "tensor/checks.hpp"
#include "tensor/key_runs.hpp"

namespace coppice::tensor {

Mask Mask::all(std::int64_t elements) {
  if (elements < 0) throw Error("mask: expected a number of elements, found " + std::to_string(elements));
  Mask out{elements, std::vector<std::uint64_t>(static_cast<std::size_t>((elements + 63) / 64), ~std::uint64_t{0})};
  if (elements % 64 != 0) out.words.back() = (std::uint64_t{1} << (elements % 64)) - 1;
  return out;
}

std::int64_t Mask::dropped() const {
  std::int64_t stay = 0;
  for (const std::uint64_t word : words) stay += std::popcount(word);
  return elements - stay;
}

Mask both(const Mask& a, const Mask& b) {
  if (a.elements != b.elements) {
    throw Error("mask: expected one of " + std::to_string(a.elements) + " elements, found " +
                std::to_string(b.elements));
  }
  Mask out = a;
  for (std::size_t i = 0; i < out.words.size(); ++i) out.words[i] &= b.words[i];
  return out;
}

void apply_mask(const Mask& mask, const Tensor& tensor, std::span<std::byte> out) {
  check_bytes("apply_mask", tensor);
  if (!is_real(tensor.dtype))
    throw Error("apply_mask: expected floating-point numbers, found " + std::string(name(tensor.dtype)));
  if (mask.elements != tensor.elements() || out.size() != tensor.bytes.size()) {
    throw Error("apply_mask: expected " + std::to_string(tensor.elements()) + " elements, found a mask of " +
                std::to_string(mask.elements) + " and " + std::to_string(out.size()) + " bytes to write");
  }
  const auto width = static_cast<std::size_t>(bit_width(tensor.dtype)) / 8;
  const std::byte* const data = tensor.bytes.data();
  base::parallel_for(mask.words.size(), std::size_t{1} << 11, [&](std::size_t begin, std::size_t end) {
    constexpr std::size_t step = kMostKeys / 64;
    for (std::size_t word = begin; word < end; word += step) {
      const std::size_t first = word * 64, stop = std::min({(word + step) * 64, end * 64, out.size() / width});
      zero_unmasked({data + first * width, stop - first, width}, mask.words.data() + word, out.data() + first * width);
    }
    const std::size_t first = begin * 64 * width;
    give_back(tensor.bytes.slice(first, std::min(end * 64 * width, out.size()) - first));
  });
}

Tensor apply_mask(const Mask& mask, const Tensor& tensor) {
  Buffer buffer(tensor.bytes.size());
  apply_mask(mask, tensor, buffer.span());
  return {tensor.dtype, tensor.shape, std::move(buffer).freeze(), nullptr};
}

}  // namespace coppice::tensor
