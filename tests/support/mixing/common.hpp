#pragma once
#include "support/random/maker.hpp"

namespace coppice::test {

inline constexpr std::int64_t frames = 6;

/// (2, frames, width): the features are the units.
inline Feature features(Maker& m, std::int64_t width = 12) {
  return m.linear(m.input("frames", {2, frames, 7}), width);
}
/// The same input as features(), read once more: several projections of one input.
inline Feature shared_input(Maker& m) {
  return m.input("frames", {2, frames, 7});
}
inline void sum_features(Maker& m, const Feature& x) {
  m.output(m.reduce("ReduceSum", x, {2}, false), "sums");
}
inline void head(Maker& m, const Feature& x) {
  m.output(m.linear(x, 5), "logits");
}

}  // namespace coppice::test
