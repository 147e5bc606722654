#pragma once
#include <map>
#include <string>
#include <vector>

#include "coppice/graph/model.hpp"

#include "support/ort_referee.hpp"
#include "support/random/blocks.hpp"

namespace coppice::test {

/// A small model with live weights that ONNX Runtime can run, and how to feed it.
struct RandomGraph {
  graph::Model model;
  std::vector<std::string> blocks;  ///< Names of what it is made of, in order.
  /// Rounding to whole numbers happens inside: a last-bit difference can flip a step of 1/127 now and then.
  bool quantised = false;
  RefereeOptions feeding;     ///< Shapes and ranges of the inputs.
  std::string story() const;  ///< The block names in one line.
};

/// Any of images, token ids or frames in; up to `length` blocks; one or two outputs out. Same seed, same model.
RandomGraph random_graph(std::uint64_t seed, int length = 6);

/// Every block with its place.
struct NamedBlock {
  const Block* block;
  bool on_image;
  bool quantised;
};
std::vector<NamedBlock> all_blocks();

/// A stem, the block, and a head.
RandomGraph block_graph(const NamedBlock& block, std::uint64_t seed);

}  // namespace coppice::test
