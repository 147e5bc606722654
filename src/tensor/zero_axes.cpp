#include <algorithm>
#include <cstring>

#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"
#include "coppice/tensor/kernels.hpp"

#include "tensor/checks.hpp"
#include "tensor/zero_bits.hpp"

namespace coppice::tensor {
namespace {

constexpr std::size_t kGrainBytes = std::size_t{1} << 19;

template <class T>
void store(std::byte* to, std::size_t count, std::uint64_t bits) {
  const T value = static_cast<T>(bits);
  for (std::size_t i = 0; i < count; ++i) __builtin_memcpy(to + i * sizeof(T), &value, sizeof(T));
}

// Elements [first, first + count) become `bits`.
void fill(std::span<std::byte> out, std::size_t width, std::size_t first, std::size_t count, std::uint64_t bits) {
  std::byte* const to = out.data() + first * width / 8;
  switch (width) {
    case 4:
      for (std::size_t i = first; i < first + count; ++i) {
        const int shift = i % 2 == 0 ? 0 : 4;
        out[i / 2] = (out[i / 2] & (std::byte{0xf0} >> shift)) | static_cast<std::byte>(bits << shift);
      }
      return;
    case 8:
      return store<std::uint8_t>(to, count, bits);
    case 16:
      return store<std::uint16_t>(to, count, bits);
    case 32:
      return store<std::uint32_t>(to, count, bits);
    case 64:
      return store<std::uint64_t>(to, count, bits);
    default:  // complex128, whose zero is all zeros
      std::memset(to, 0, count * width / 8);
  }
}

void zero_slices(const Tensor& tensor, const AxisIndices& removed, const ZeroPoint& zero,
                 const std::vector<ZeroBits>& bits, std::span<std::byte> out) {
  const auto width = static_cast<std::size_t>(bit_width(tensor.dtype));
  std::size_t outer = 1, inner = 1;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    if (i < removed.axis) outer *= static_cast<std::size_t>(tensor.shape[i]);
    if (i > removed.axis) inner *= static_cast<std::size_t>(tensor.shape[i]);
  }
  const auto extent = static_cast<std::size_t>(tensor.shape[removed.axis]);
  const std::size_t row_bytes = (removed.indices.size() * inner * width + 7) / 8;
  // Neighbouring packed elements share a byte: one thread for all of them.
  const std::size_t grain = width < 8 ? outer : std::max<std::size_t>(1, kGrainBytes / row_bytes);
  base::parallel_for(outer, grain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t row = begin; row < end; ++row) {
      for (const std::int64_t index : removed.indices) {
        const std::size_t first = (row * extent + static_cast<std::size_t>(index)) * inner;
        if (zero.values.size() <= 1) {
          fill(out, width, first, inner, bits[0].bits);
        } else {
          for_each_zero_run(tensor, zero, first, inner, [&](std::size_t at, std::size_t count, std::size_t i) {
            fill(out, width, at, count, bits[i].bits);
          });
        }
      }
    }
  });
}

}  // namespace

Tensor zero_axes(const Tensor& tensor, const std::vector<AxisIndices>& removed, const ZeroPoint& zero) {
  constexpr const char* where = "zero_axes";
  check_bytes(where, tensor);
  if (tensor.dtype == DType::string) throw Error("zero_axes: expected numbers, found strings");
  std::vector<std::size_t> axes;
  for (const auto& [axis, indices] : removed) axes.push_back(axis);
  check_axes(where, tensor.shape, axes);
  bool changes = false;
  for (const auto& [axis, indices] : removed) {
    check_indices(where, axis, tensor.shape[axis], indices);
    changes = changes || !indices.empty();
  }
  const auto bits = zero_bits(where, tensor, zero);
  if (!changes || tensor.elements() == 0) return tensor;
  Buffer buffer(tensor.bytes.size());
  const auto out = buffer.span();
  base::parallel_for(out.size(), kGrainBytes, [&](std::size_t begin, std::size_t end) {
    std::memcpy(out.data() + begin, tensor.bytes.data() + begin, end - begin);
    give_back(tensor.bytes.slice(begin, end - begin));
  });
  for (const auto& slices : removed) {
    if (!slices.indices.empty()) zero_slices(tensor, slices, zero, bits, out);
  }
  return {tensor.dtype, tensor.shape, std::move(buffer).freeze(), nullptr};
}

}  // namespace coppice::tensor
