#pragma once
#include <cstdint>
#include <string_view>

#include "coppice/tensor/tensor.hpp"

namespace coppice::zoo {

/// How a parameter starts.
struct Init {
  enum class Kind { constant, normal, uniform };
  Kind kind = Kind::constant;
  float center = 0, spread = 0;  ///< Value, mean or midpoint; then nothing, standard deviation or half width.

  static Init constant(float value) { return {Kind::constant, value, 0}; }
  static Init normal(double deviation, float mean = 0) { return {Kind::normal, mean, static_cast<float>(deviation)}; }
  static Init uniform(double half_width, float mid = 0) { return {Kind::uniform, mid, static_cast<float>(half_width)}; }
};

/// Names a stream of random numbers: different for every pair of seed and name.
std::uint64_t stream_key(std::uint64_t seed, std::string_view name);

/// An fp32 tensor. Element i depends on (init, key, i) alone, bit for bit, on every machine: the generator is counter
/// based, and the normal deviates come from arithmetic that IEEE 754 defines exactly, not from the C library.
tensor::Tensor random_tensor(const tensor::Shape& shape, Init init, std::uint64_t key);

}  // namespace coppice::zoo
