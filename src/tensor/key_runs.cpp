#include "tensor/key_runs.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "tensor/highway_targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tensor/key_runs.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace coppice::tensor {
namespace HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

template <class T>
struct Keys {
  using D = hn::ScalableTag<T>;
  using V = hn::Vec<D>;
  using M = hn::Mask<D>;
  static constexpr std::size_t kLanes = hn::MaxLanes(D());

  explicit Keys(const KeyRun& run) : run_(run), bits_(run.magnitudes ? std::numeric_limits<T>::max() : T(-1)) {}

  std::size_t whole() const { return run_.count - run_.count % kLanes; }
  const std::byte* at(std::size_t i) const { return run_.data + i * sizeof(T); }
  HWY_INLINE V raw(std::size_t i) const {
#if HWY_TARGET == HWY_SCALAR
    return hn::Set(D(), raw_one(i));
#else
    const hn::Repartition<std::uint8_t, D> bytes;  // a byte vector may start anywhere
    return hn::BitCast(D(), hn::LoadU(bytes, reinterpret_cast<const std::uint8_t*>(at(i))));
#endif
  }
  static HWY_INLINE void store(V v, std::byte* to) {
#if HWY_TARGET == HWY_SCALAR
    const T value = hn::GetLane(v);
    std::memcpy(to, &value, sizeof(T));
#else
    const hn::Repartition<std::uint8_t, D> bytes;
    hn::StoreU(hn::BitCast(bytes, v), bytes, reinterpret_cast<std::uint8_t*>(to));
#endif
  }
  HWY_INLINE V key(V v) const {
    return hn::And(v, hn::Set(D(), bits_));
  }
  T raw_one(std::size_t i) const {
    T value;
    std::memcpy(&value, at(i), sizeof(T));
    return value;
  }
  T key_one(std::size_t i) const {
    return static_cast<T>(raw_one(i) & bits_);
  }

  const KeyRun run_;
  const T bits_;
};

template <class T>
KeyCounts scan(const KeyRun& run, T low, T high, T limit, std::byte* inside) {
  const Keys<T> keys(run);
  using D = typename Keys<T>::D;
  const D d;
  T* const to = reinterpret_cast<T*>(inside);
  const auto lows = hn::Set(d, low), highs = hn::Set(d, high), limits = hn::Set(d, limit);
  auto below = hn::Zero(d), beyond = hn::Zero(d);
  KeyCounts out;
  const std::size_t whole = keys.whole();
  for (std::size_t i = 0; i < whole; i += Keys<T>::kLanes) {
    const auto v = keys.key(keys.raw(i));
    const auto under = hn::Lt(v, lows);
    below = hn::Sub(below, hn::VecFromMask(d, under));
    beyond = hn::Or(beyond, hn::VecFromMask(d, hn::Gt(v, limits)));
    const auto outside = hn::Or(under, hn::Gt(v, highs));
    if (hn::AllTrue(d, outside)) continue;
    const auto is_low = hn::Eq(v, lows), is_high = hn::AndNot(is_low, hn::Eq(v, highs));
    out.at_low += hn::CountTrue(d, is_low);
    out.at_high += hn::CountTrue(d, is_high);
    const auto within = hn::Not(hn::Or(outside, hn::Or(is_low, is_high)));
    out.inside += hn::CompressStore(v, within, d, to + out.inside);
  }
  HWY_ALIGN T lanes[Keys<T>::kLanes];
  hn::Store(below, d, lanes);
  for (const T lane : lanes) out.below += static_cast<std::size_t>(lane);
  out.beyond = !hn::AllTrue(d, hn::Eq(beyond, hn::Zero(d)));
  for (std::size_t i = whole; i < run.count; ++i) {
    const T v = keys.key_one(i);
    out.beyond = out.beyond || v > limit;
    if (v < low) {
      ++out.below;
    } else if (v == low) {
      ++out.at_low;
    } else if (v == high) {
      ++out.at_high;
    } else if (v < high) {
      to[out.inside++] = v;
    }
  }
  return out;
}

template <class T>
void zero(const KeyRun& run, T bound, std::byte* out) {
  const Keys<T> keys(run);
  const typename Keys<T>::D d;
  const auto bounds = hn::Set(d, bound);
  const std::size_t whole = keys.whole();
  for (std::size_t i = 0; i < whole; i += Keys<T>::kLanes) {
    const auto v = keys.raw(i);
    Keys<T>::store(hn::IfThenZeroElse(hn::Lt(keys.key(v), bounds), v), out + i * sizeof(T));
  }
  for (std::size_t i = whole; i < run.count; ++i) {
    const T value = keys.key_one(i) < bound ? T(0) : keys.raw_one(i);
    std::memcpy(out + i * sizeof(T), &value, sizeof(T));
  }
}

template <class T>
void mask(const KeyRun& run, T bound, std::uint64_t* words) {
  const Keys<T> keys(run);
  const typename Keys<T>::D d;
  const auto bounds = hn::Set(d, bound);
  const std::size_t whole = keys.whole();
  std::fill_n(words, (run.count + 63) / 64, 0);
  for (std::size_t i = 0; i < whole; i += Keys<T>::kLanes) {
    std::uint8_t bytes[8] = {};
    hn::StoreMaskBits(d, hn::Not(hn::Lt(keys.key(keys.raw(i)), bounds)), bytes);
    std::uint64_t bits;
    std::memcpy(&bits, bytes, 8);
    words[i / 64] |= bits << (i % 64);
  }
  for (std::size_t i = whole; i < run.count; ++i)
    words[i / 64] |= std::uint64_t{keys.key_one(i) >= bound ? 1u : 0u} << (i % 64);
}

template <class T>
void unmasked(const KeyRun& run, const std::uint64_t* words, std::byte* out) {
  const Keys<T> keys(run);
  const typename Keys<T>::D d;
  const std::size_t whole = keys.whole();
  for (std::size_t i = 0; i < whole; i += Keys<T>::kLanes) {
    const std::uint64_t bits = words[i / 64] >> (i % 64);
    std::uint8_t bytes[8];
    std::memcpy(bytes, &bits, 8);
    Keys<T>::store(hn::IfThenElseZero(hn::LoadMaskBits(d, bytes), keys.raw(i)), out + i * sizeof(T));
  }
  for (std::size_t i = whole; i < run.count; ++i) {
    const T value = (words[i / 64] >> (i % 64) & 1) != 0 ? keys.raw_one(i) : T(0);
    std::memcpy(out + i * sizeof(T), &value, sizeof(T));
  }
}

// Bounds may lie beyond the narrow types: "everything" and "nothing" need no bound of their own.
template <class T>
T narrow(std::int64_t bound) {
  return static_cast<T>(std::clamp<std::int64_t>(bound, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
}

KeyCounts scan_any(const KeyRun& run, std::int64_t low, std::int64_t high, std::int64_t limit, std::byte* inside) {
  const auto go = [&](auto t) {
    using T = decltype(t);
    return scan<T>(run, narrow<T>(low), narrow<T>(high), narrow<T>(limit), inside);
  };
  return run.width == 2 ? go(std::int16_t()) : run.width == 4 ? go(std::int32_t()) : go(std::int64_t());
}
void zero_any(const KeyRun& run, std::int64_t bound, std::byte* out) {
  if (run.width == 2) return zero(run, narrow<std::int16_t>(bound), out);
  if (run.width == 4) return zero(run, narrow<std::int32_t>(bound), out);
  zero(run, bound, out);
}
void mask_any(const KeyRun& run, std::int64_t bound, std::uint64_t* words) {
  if (run.width == 2) return mask(run, narrow<std::int16_t>(bound), words);
  if (run.width == 4) return mask(run, narrow<std::int32_t>(bound), words);
  mask(run, bound, words);
}
void unmasked_any(const KeyRun& run, const std::uint64_t* words, std::byte* out) {
  if (run.width == 2) return unmasked<std::int16_t>(run, words, out);
  if (run.width == 4) return unmasked<std::int32_t>(run, words, out);
  unmasked<std::int64_t>(run, words, out);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace coppice::tensor
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace coppice::tensor {
HWY_EXPORT(scan_any);
HWY_EXPORT(zero_any);
HWY_EXPORT(mask_any);
HWY_EXPORT(unmasked_any);

KeyCounts scan_keys(const KeyRun& run, std::int64_t low, std::int64_t high, std::int64_t limit, std::byte* inside) {
  return HWY_DYNAMIC_DISPATCH(scan_any)(run, low, high, limit, inside);
}
void zero_keys(const KeyRun& run, std::int64_t bound, std::byte* out) {
  HWY_DYNAMIC_DISPATCH(zero_any)(run, bound, out);
}
void mask_keys(const KeyRun& run, std::int64_t bound, std::uint64_t* words) {
  HWY_DYNAMIC_DISPATCH(mask_any)(run, bound, words);
}
void zero_unmasked(const KeyRun& run, const std::uint64_t* words, std::byte* out) {
  HWY_DYNAMIC_DISPATCH(unmasked_any)(run, words, out);
}

}  // namespace coppice::tensor
#endif
