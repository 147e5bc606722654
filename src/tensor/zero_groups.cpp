#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>

#include "coppice/base/error.hpp"
#include "coppice/base/parallel.hpp"
#include "coppice/tensor/bytes.hpp"
#include "coppice/tensor/zero_structure.hpp"

#include "tensor/checks.hpp"
#include "tensor/group_counts.hpp"
#include "tensor/zero_bits.hpp"

namespace coppice::tensor {
namespace {

constexpr std::size_t kPlaces = 1024;                      // counted side by side
constexpr std::size_t kLongest = zero_group_sizes.back();  // rows of a band: groups end with it
constexpr std::size_t kGrainBytes = std::size_t{1} << 20;  // of a share of the work

// Rows of `inner` elements that lie one behind the other: a band of at most kLongest.
struct Band {
  const std::byte* data = nullptr;
  std::size_t rows = 0, inner = 0;
};

template <class T>
void raise(const Band& band, T mask, GroupCounts& most) {
  std::array<std::array<std::uint8_t, kPlaces>, zero_group_sizes.size()> counts;
  for (std::size_t first = 0; first < band.inner; first += kPlaces) {
    const std::size_t places = std::min(kPlaces, band.inner - first);
    for (auto& count : counts) count.fill(0);
    for (std::size_t row = 0; row < band.rows; ++row) {
      const std::byte* const from = band.data + (row * band.inner + first) * sizeof(T);
      for (std::size_t i = 0; i < places; ++i) {
        T element;
        std::memcpy(&element, from + i * sizeof(T), sizeof(T));
        counts[0][i] = static_cast<std::uint8_t>(counts[0][i] + ((element & mask) != 0 ? 1 : 0));
      }
      // A group of one size that ends is half of one of the next.
      for (std::size_t k = 0; k < counts.size() && (row + 1) % static_cast<std::size_t>(zero_group_sizes[k]) == 0;
           ++k) {
        for (std::size_t i = 0; i < places; ++i) {
          most[k] = std::max(most[k], counts[k][i]);
          if (k + 1 < counts.size()) counts[k + 1][i] = static_cast<std::uint8_t>(counts[k + 1][i] + counts[k][i]);
          counts[k][i] = 0;
        }
      }
    }
  }
}

void raise(const Band& band, std::size_t width, std::uint64_t mask, GroupCounts& most) {
  switch (width) {
    case 1:
      return raise<std::uint8_t>(band, static_cast<std::uint8_t>(mask), most);
    case 2:
      return raise<std::uint16_t>(band, static_cast<std::uint16_t>(mask), most);
    case 4:
      return raise<std::uint32_t>(band, static_cast<std::uint32_t>(mask), most);
    default:
      return raise<std::uint64_t>(band, mask, most);
  }
}

}  // namespace

ZeroGroups zero_groups(const Tensor& tensor, std::size_t axis) {
  check_bytes("zero_groups", tensor);
  if (axis >= tensor.shape.size())
    throw Error("zero_groups: expected an axis of " + std::to_string(tensor.shape.size()) + ", found " +
                std::to_string(axis));
  if (tensor.shape.size() > 1 && axis + 1 == tensor.shape.size()) return zero_structure(tensor).most;  // faster there
  const std::uint64_t mask = zero_bits("zero_groups", tensor, {})[0].mask;
  ZeroGroups out;
  if (tensor.elements() == 0 || !elements_of_whole_bytes(tensor.dtype)) return out;
  const auto width = static_cast<std::size_t>(bit_width(tensor.dtype)) / 8;
  const auto rows = static_cast<std::size_t>(tensor.shape[axis]);
  std::size_t inner = 1;
  for (std::size_t i = axis + 1; i < tensor.shape.size(); ++i) inner *= static_cast<std::size_t>(tensor.shape[i]);
  const std::size_t outer = static_cast<std::size_t>(tensor.elements()) / (rows * inner);
  const std::size_t bands = (rows + kLongest - 1) / kLongest, row_bytes = inner * width;
  const std::size_t grain = std::max<std::size_t>(1, kGrainBytes / (std::min(rows, kLongest) * row_bytes));
  std::mutex mutex;
  GroupCounts all{};
  base::parallel_for(outer * bands, grain, [&](std::size_t begin, std::size_t end) {
    GroupCounts most{};
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t row = i % bands * kLongest, count = std::min(kLongest, rows - row);
      const Bytes bytes = tensor.bytes.slice((i / bands * rows + row) * row_bytes, count * row_bytes);
      raise({bytes.data(), count, inner}, width, mask, most);
      give_back(bytes);
    }
    const std::lock_guard lock(mutex);
    for (std::size_t k = 0; k < most.size(); ++k) all[k] = std::max(all[k], most[k]);
  });
  for (std::size_t k = 0; k < out.size(); ++k)
    if (rows % static_cast<std::size_t>(zero_group_sizes[k]) == 0) out[k] = all[k];
  return out;
}

}  // namespace coppice::tensor
