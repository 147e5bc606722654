#include "coppice/data/transforms.hpp"

#include <cmath>
#include <limits>
#include <string>

#include "coppice/base/error.hpp"

#include "data/expect_pictures.hpp"

namespace coppice::data {

Draws::Draws(std::uint64_t seed, std::int64_t epoch, std::int64_t batch) {
  std::seed_seq parts{static_cast<std::uint32_t>(seed),  static_cast<std::uint32_t>(seed >> 32),
                      static_cast<std::uint32_t>(epoch), static_cast<std::uint32_t>(epoch >> 32),
                      static_cast<std::uint32_t>(batch), static_cast<std::uint32_t>(batch >> 32)};
  generator_.seed(parts);
}

std::int64_t Draws::below(std::int64_t bound) {
  // The standard's distributions differ from library to library. Numbers beyond the last whole multiple are drawn
  // again, so that all results are equally likely.
  const auto range = static_cast<std::uint64_t>(bound);
  const std::uint64_t last = std::numeric_limits<std::uint64_t>::max() / range * range;
  std::uint64_t draw = generator_();
  while (draw >= last) draw = generator_();
  return static_cast<std::int64_t>(draw % range);
}

double Draws::unit() {
  return std::ldexp(static_cast<double>(below(std::int64_t{1} << 53)), -53);
}

Transform normalize(std::vector<double> mean, std::vector<double> deviation) {
  if (mean.size() != deviation.size() || mean.empty())
    throw Error("normalize: expected a mean and a deviation for each channel, found " + std::to_string(mean.size()) +
                " and " + std::to_string(deviation.size()));
  for (const double value : deviation)
    if (!(value > 0)) throw Error("normalize: expected deviations above 0, found " + std::to_string(value));
  const auto channels = static_cast<std::int64_t>(mean.size());
  const at::Tensor shift = at::tensor(mean, at::kDouble).reshape({channels, 1, 1});
  const at::Tensor scale = at::tensor(deviation, at::kDouble).reshape({channels, 1, 1});
  return [=](at::Tensor pictures, Draws&) {
    expect_pictures(pictures);
    if (pictures.size(1) != channels)
      throw Error("normalize: expected pictures of " + std::to_string(channels) + " channels, found " +
                  std::to_string(pictures.size(1)));
    const auto like = pictures.options();
    return pictures.sub_(shift.to(like)).div_(scale.to(like));
  };
}

Transform random_shift(std::int64_t margin) {
  if (margin < 1) throw Error("random shift: expected a margin of 1 or more, found " + std::to_string(margin));
  return [margin](at::Tensor pictures, Draws& draws) {
    expect_pictures(pictures);
    const std::int64_t height = pictures.size(2), width = pictures.size(3);
    const at::Tensor padded = at::constant_pad_nd(pictures, {margin, margin, margin, margin});
    at::Tensor out = at::empty_like(pictures);
    for (std::int64_t i = 0; i < pictures.size(0); ++i) {
      const std::int64_t top = draws.below(2 * margin + 1), left = draws.below(2 * margin + 1);
      out[i].copy_(padded[i].narrow(1, top, height).narrow(2, left, width));
    }
    return out;
  };
}

Transform random_flip() {
  return [](at::Tensor pictures, Draws& draws) {
    expect_pictures(pictures);
    std::vector<std::int64_t> turned;
    for (std::int64_t i = 0; i < pictures.size(0); ++i)
      if (draws.coin()) turned.push_back(i);
    if (turned.empty()) return pictures;
    const at::Tensor index = at::tensor(turned, at::kLong);
    return pictures.index_copy_(0, index, pictures.index_select(0, index).flip({3}));
  };
}

}  // namespace coppice::data
