#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "tensor/highway_targets.hpp"
#include "tensor/key_runs.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/key_groups.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace coppice::tensor {
namespace HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kMostRows = 16;  // whose ranks are counted in vectors

template <class T>
class Groups {
 public:
  using D = hn::ScalableTag<T>;
  using V = hn::Vec<D>;
  static constexpr std::size_t kLanes = hn::MaxLanes(D());

  Groups(const KeyRun& run, const KeyGroups& groups, bool marks, std::byte* out)
      : run_(run),
        groups_(groups),
        bits_(run.magnitudes ? std::numeric_limits<T>::max() : T(-1)),
        marks_(marks),
        out_(out) {}

  void all() {
    const std::size_t rows = groups_.of, inner = groups_.inner;
    if (inner == 1 && rows == 4 && groups_.keep == 2 && kLanes >= 4) return two_of_four();
    for (std::size_t block = 0; block < run_.count; block += rows * inner) {
      std::size_t column = 0;
      if (rows <= kMostRows)
        for (; column + kLanes <= inner; column += kLanes) some_columns(block + column);
      for (; column < inner; ++column) one_column(block + column);
    }
  }

 private:
  HWY_INLINE V raw(std::size_t i) const {
#if HWY_TARGET == HWY_SCALAR
    return hn::Set(D(), raw_one(i));
#else
    const hn::Repartition<std::uint8_t, D> bytes;  // a byte vector may start anywhere
    return hn::BitCast(D(), hn::LoadU(bytes, reinterpret_cast<const std::uint8_t*>(run_.data + i * sizeof(T))));
#endif
  }
  HWY_INLINE void put(std::size_t i, V value, hn::Mask<D> stays) const {
    const V v = hn::IfThenElseZero(stays, marks_ ? hn::Set(D(), T(-1)) : value);
#if HWY_TARGET == HWY_SCALAR
    const T one = hn::GetLane(v);
    std::memcpy(out_ + i * sizeof(T), &one, sizeof(T));
#else
    const hn::Repartition<std::uint8_t, D> bytes;
    hn::StoreU(hn::BitCast(bytes, v), bytes, reinterpret_cast<std::uint8_t*>(out_ + i * sizeof(T)));
#endif
  }
  HWY_INLINE V key(V v) const {
    return hn::And(v, hn::Set(D(), bits_));
  }
  T raw_one(std::size_t i) const {
    T value;
    std::memcpy(&value, run_.data + i * sizeof(T), sizeof(T));
    return value;
  }
  void put_one(std::size_t i, bool stays) const {
    const T value = !stays ? T(0) : marks_ ? T(-1) : raw_one(i);
    std::memcpy(out_ + i * sizeof(T), &value, sizeof(T));
  }

  // An element goes when at least two of its three neighbours beat it. A neighbour with a higher index beats its equal:
  // for it the bound is lower by one, which whole numbers allow.
  HWY_INLINE void two_of_four() {
#if HWY_TARGET != HWY_SCALAR
    if constexpr (kLanes >= 4) {
      const D d;
      const V place = hn::And(hn::Iota(d, T(0)), hn::Set(d, T(3)));
      const V one = hn::Set(d, T(1)), two = hn::Set(d, T(2)), zero = hn::Zero(d);
      const V odd = hn::And(place, one), late = hn::And(place, two);
      const V by_one = hn::IfThenElseZero(hn::Eq(odd, zero), one), by_two = hn::IfThenElseZero(hn::Eq(late, zero), one);
      std::size_t i = 0;
      for (; i + kLanes <= run_.count; i += kLanes) {
        const V value = raw(i), x = key(value);
        const V swapped = hn::Reverse2(d, x), mirrored = hn::Reverse4(d, x), crossed = hn::Reverse2(d, mirrored);
        const auto a = hn::Gt(swapped, hn::Sub(x, by_one)), b = hn::Gt(mirrored, hn::Sub(x, by_two)),
                   c = hn::Gt(crossed, hn::Sub(x, by_two));
        put(i, value, hn::Not(hn::Or(hn::And(a, b), hn::And(c, hn::Or(a, b)))));
      }
      for (; i < run_.count; i += 4) one_column(i);
    }
#endif
  }

  HWY_INLINE void some_columns(std::size_t first) const {
    const D d;
    const std::size_t rows = groups_.of, inner = groups_.inner;
    V values[kMostRows], keys[kMostRows], beaten[kMostRows];
    for (std::size_t r = 0; r < rows; ++r) {
      values[r] = raw(first + r * inner);
      keys[r] = key(values[r]);
      beaten[r] = hn::Zero(d);  // less one for each row that beats it
    }
    for (std::size_t a = 0; a < rows; ++a) {
      for (std::size_t b = a + 1; b < rows; ++b) {
        const auto sooner = hn::Gt(keys[a], keys[b]);
        beaten[a] = hn::Add(beaten[a], hn::VecFromMask(d, hn::Not(sooner)));
        beaten[b] = hn::Add(beaten[b], hn::VecFromMask(d, sooner));
      }
    }
    const V most = hn::Set(d, static_cast<T>(-static_cast<std::int64_t>(groups_.keep)));
    for (std::size_t r = 0; r < rows; ++r) put(first + r * inner, values[r], hn::Gt(beaten[r], most));
  }

  void one_column(std::size_t first) {
    const std::size_t rows = groups_.of, inner = groups_.inner;
    order_.resize(rows);
    for (std::size_t r = 0; r < rows; ++r) order_[r] = {static_cast<T>(raw_one(first + r * inner) & bits_), r};
    const auto go = static_cast<std::ptrdiff_t>(rows - groups_.keep);
    std::nth_element(order_.begin(), order_.begin() + go, order_.end());
    for (std::size_t r = 0; r < rows; ++r)
      put_one(first + order_[r].second * inner, static_cast<std::ptrdiff_t>(r) >= go);
  }

  const KeyRun run_;
  const KeyGroups groups_;
  const T bits_;
  const bool marks_;
  std::byte* const out_;
  std::vector<std::pair<T, std::size_t>> order_;
};

void keep(const KeyRun& run, const KeyGroups& groups, bool marks, std::byte* out) {
  if (run.width == 2) return Groups<std::int16_t>(run, groups, marks, out).all();
  if (run.width == 4) return Groups<std::int32_t>(run, groups, marks, out).all();
  Groups<std::int64_t>(run, groups, marks, out).all();
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace coppice::tensor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coppice::tensor {
HWY_EXPORT(keep);

void keep_largest(const KeyRun& run, const KeyGroups& groups, bool marks, std::byte* out) {
  HWY_DYNAMIC_DISPATCH(keep)(run, groups, marks, out);
}

}  // namespace coppice::tensor
#endif
