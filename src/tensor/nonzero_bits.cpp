#include "tensor/nonzero_bits.hpp"

#include <algorithm>
#include <cstring>

#include "tensor/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/nonzero_bits.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace coppice::tensor {
namespace HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
void run_type(const std::byte* data, std::size_t count, std::uint64_t wide_mask, std::uint64_t* out) {
  const hn::ScalableTag<T> d;
  constexpr std::size_t lanes = hn::MaxLanes(hn::ScalableTag<T>());
  static_assert(lanes <= 64);
  const T mask = static_cast<T>(wide_mask);
  const auto masks = hn::Set(d, mask);
  const auto zero = hn::Zero(d);
  for (std::size_t first = 0; first < count; first += 64, ++out) {
    std::uint64_t word = 0;
    const std::byte* at = data + first * sizeof(T);
    if (count - first >= 64) {
      for (std::size_t i = 0; i < 64; i += lanes) {
        const auto values = hn::LoadU(d, reinterpret_cast<const T*>(at + i * sizeof(T)));
        std::uint64_t bits = 0;
        hn::StoreMaskBits(d, hn::Ne(hn::And(values, masks), zero), reinterpret_cast<std::uint8_t*>(&bits));
        word |= bits << i;
      }
    } else {
      for (std::size_t i = 0; i < count - first; ++i) {
        T value;
        std::memcpy(&value, at + i * sizeof(T), sizeof(T));
        word |= std::uint64_t{(value & mask) != 0} << i;
      }
    }
    *out = word;
  }
}

void run(const std::byte* data, std::size_t count, std::size_t element_bytes, std::uint64_t mask, std::uint64_t* out) {
  switch (element_bytes) {
    case 1:
      return run_type<std::uint8_t>(data, count, mask, out);
    case 2:
      return run_type<std::uint16_t>(data, count, mask, out);
    case 4:
      return run_type<std::uint32_t>(data, count, mask, out);
    default:
      return run_type<std::uint64_t>(data, count, mask, out);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace coppice::tensor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coppice::tensor {

HWY_EXPORT(run);

void nonzero_bits(const std::byte* data, std::size_t count, std::size_t element_bytes, std::uint64_t mask,
                  std::uint64_t* out) {
  HWY_DYNAMIC_DISPATCH(run)(data, count, element_bytes, mask, out);
}

}  // namespace coppice::tensor
#endif
