#pragma once
#include <cstdint>
#include <functional>
#include <random>
#include <vector>

#include "coppice/torch/aten.hpp"

namespace coppice::data {

/// Random numbers for one batch: the same on every machine and in every thread.
class Draws {
 public:
  Draws(std::uint64_t seed, std::int64_t epoch, std::int64_t batch);
  /// 0 to below `bound`, at least 1.
  std::int64_t below(std::int64_t bound);
  bool coin() { return below(2) == 1; }

 private:
  std::mt19937_64 generator_;
};

/// What is done to the first input of every batch, real numbers [N, C, H, W]; may write to what it is given.
using Transform = std::function<at::Tensor(at::Tensor pictures, Draws& draws)>;

/// (x - mean) / deviation for each channel. Throws Error for lists of different lengths or a deviation of 0; the
/// transform, for pictures of another number of channels.
Transform normalize(std::vector<double> mean, std::vector<double> deviation);
/// Moves each picture by up to `margin` to every side, drawn for each; zeros come in from outside.
Transform random_shift(std::int64_t margin);
/// Mirrors half of the pictures left to right, drawn for each.
Transform random_flip();

}  // namespace coppice::data
