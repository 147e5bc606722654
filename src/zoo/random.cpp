#include "random.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#include "coppice/base/parallel.hpp"

// This file is compiled without fusing a * b + c into one rounding (see CMakeLists.txt): that differs by machine.
namespace coppice::zoo {
namespace {

// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
constexpr std::uint64_t golden = 0x9E3779B97F4A7C15u;

std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

std::uint64_t word(std::uint64_t key, std::uint64_t counter) {
  return mix(key + (counter + 1) * golden);
}

/// -ln((k + 1/2) / 2^32), relative error below 1e-9: ln m = 2 atanh((m - 1) / (m + 1)) with m within a factor of
/// sqrt 2 of one.
double minus_log(std::uint32_t k) {
  const double u = static_cast<double>(k) + 0.5;
  const std::uint64_t bits = std::bit_cast<std::uint64_t>(u);
  // Shift the exponent's border from 1 to sqrt(1/2).
  const std::uint64_t shifted = bits - 0x3FE6A09E667F3BCDu;
  const auto exponent = static_cast<std::int32_t>(static_cast<std::int64_t>(shifted) >> 52);
  const double m =
      std::bit_cast<double>(bits - (static_cast<std::uint64_t>(static_cast<std::int64_t>(exponent)) << 52));
  const double s = (m - 1.0) / (m + 1.0), t = s * s;
  const double series = 1.0 + t * (1.0 / 3 + t * (1.0 / 5 + t * (1.0 / 7 + t * (1.0 / 9 + t * (1.0 / 11)))));
  return (32 - exponent) * std::numbers::ln2 - 2.0 * s * series;
}

struct Pair {
  double first, second;
};

/// Sine and cosine of the angle (k + 1/2) / 2^32 - 1/8 of a full turn, error below 1e-9.
Pair turn(std::uint32_t k) {
  // The quarter's midpoint is the origin: the rest is within 1/8 of a turn.
  const std::uint32_t quarter = k >> 30;
  const double rest = static_cast<double>(static_cast<std::int32_t>(k & 0x3FFFFFFFu) - 0x20000000) + 0.5;
  const double x = rest * (2.0 * std::numbers::pi / 4294967296.0), t = x * x;
  const double sine =
      x * (1.0 + t * (-1.0 / 6 + t * (1.0 / 120 + t * (-1.0 / 5040 + t * (1.0 / 362880 - t / 39916800)))));
  const double cosine =
      1.0 + t * (-1.0 / 2 + t * (1.0 / 24 + t * (-1.0 / 720 + t * (1.0 / 40320 + t * (-1.0 / 3628800)))));
  const double flipped = (quarter & 2) != 0 ? -1.0 : 1.0;
  return (quarter & 1) != 0 ? Pair{flipped * cosine, -flipped * sine} : Pair{flipped * sine, flipped * cosine};
}

/// Two independent standard normal deviates (Box and Muller 1958).
Pair normal_pair(std::uint64_t bits) {
  const double radius = std::sqrt(2.0 * minus_log(static_cast<std::uint32_t>(bits >> 32)));
  const Pair direction = turn(static_cast<std::uint32_t>(bits));
  return {radius * direction.first, radius * direction.second};
}

void fill_normal(std::span<float> out, Init init, std::uint64_t key, std::size_t first_pair) {
  const double mean = init.center, deviation = init.spread;
  for (std::size_t i = 0; i < out.size(); i += 2) {
    const Pair pair = normal_pair(word(key, first_pair + i / 2));
    out[i] = static_cast<float>(mean + deviation * pair.first);
    if (i + 1 < out.size()) out[i + 1] = static_cast<float>(mean + deviation * pair.second);
  }
}

void fill_uniform(std::span<float> out, Init init, std::uint64_t key, std::size_t first) {
  const double mid = init.center, half = init.spread;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto bits = static_cast<std::int64_t>(word(key, first + i) >> 11);  // 53 bits
    out[i] = static_cast<float>(mid + half * (static_cast<double>(bits) * 0x1p-52 - 1.0));
  }
}

}  // namespace

std::uint64_t stream_key(std::uint64_t seed, std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325u;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return mix(mix(seed + golden) ^ hash);
}

tensor::Tensor random_tensor(const tensor::Shape& shape, Init init, std::uint64_t key) {
  const auto count = static_cast<std::size_t>(tensor::element_count(shape));
  tensor::Buffer buffer(count * sizeof(float));
  const std::span<float> all = buffer.as<float>();
  constexpr std::size_t grain = 1 << 16;  // Even, so that no pair of normal deviates is split.
  base::parallel_for(count, grain, [&](std::size_t begin, std::size_t end) {
    const std::span<float> part = all.subspan(begin, end - begin);
    switch (init.kind) {
      case Init::Kind::constant:
        std::fill(part.begin(), part.end(), init.center);
        break;
      case Init::Kind::normal:
        fill_normal(part, init, key, begin / 2);
        break;
      case Init::Kind::uniform:
        fill_uniform(part, init, key, begin);
        break;
    }
  });
  return {tensor::DType::float32, shape, std::move(buffer).freeze(), nullptr};
}

}  // namespace coppice::zoo
