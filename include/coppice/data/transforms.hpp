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
  /// 0 to below 1, a multiple of 2^-53.
  double unit();

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
/// [N, C, size, size] from the middle, or from a place that is drawn for each picture. The transforms throw Error for
/// pictures that are smaller.
Transform centre_crop(std::int64_t size);
Transform random_crop(std::int64_t size);
/// [N, C, size, size]: a piece of each picture, drawn for each and scaled, bilinear and antialiased. Its area is
/// `least` to all of the picture's, its width over its height is 3/4 to 4/3; a side that would be longer than the
/// picture's is as long. Throws Error unless `least` is above 0 and at most 1.
Transform random_resized_crop(std::int64_t size, double least);

}  // namespace coppice::data
