#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "coppice/graph/model.hpp"

/// Reference architectures with seeded random weights: something to prune without a download, and the ground on which
/// tests and benchmarks stand.
namespace coppice::zoo {

/// One reference architecture.
struct Entry {
  std::string_view name, description;
  /// Trainable elements; running statistics of batch norm and tables are not counted.
  std::int64_t parameters = 0;
};

/// All architectures, image models first.
std::span<const Entry> entries();

struct Options {
  /// Height and width of the input of models for ImageNet, a multiple of 32; those for small pictures have their own.
  std::int64_t image_side = 224;
  /// Scales and biases of norms, and their running statistics, also get random values around the usual 1 and 0, so
  /// that a test sees when one of them is cut in the wrong place.
  bool lively = false;
};

/// Builds the architecture of that name, opset 17, weights in fp32. Parameters are named as in the original's state
/// dictionary, nodes by their module's path (`layer1.0.conv1`). The batch dimension is dynamic ("batch"), so is the
/// length of a sequence ("sequence"); images are 3 x side x side.
/// Weights depend on the seed and the parameter's name and shape alone: the same bytes on every machine and with any
/// number of threads, and a change to one layer leaves the others as they were.
/// Throws Error for an unknown name, naming the nearest ones, and for an impossible image side.
graph::Model build(std::string_view name, std::uint64_t seed = 0, const Options& options = {});

}  // namespace coppice::zoo
