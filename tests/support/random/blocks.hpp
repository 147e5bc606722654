#pragma once
#include <span>
#include <string_view>

#include "support/random/maker.hpp"

/// The pieces of random graphs. A block takes a feature and gives one of about unit size. To add one, write it in the
/// file of its theme and name it in that file's list.
namespace coppice::test {

struct Block {
  std::string_view name;
  Feature (*make)(Maker&, const Feature&);
  /// Whether the block can follow this feature; null: always.
  bool (*fits)(const Feature&) = nullptr;
};

// On images [N, C, H, W], C divisible by 4, H and W even; they give the like.
std::span<const Block> conv_blocks();
std::span<const Block> branch_blocks();      ///< Residual, dense, inception, padded shortcuts.
std::span<const Block> channel_blocks();     ///< Shuffle, split, slice, gather, concat along channels.
std::span<const Block> spatial_blocks();     ///< Resize, depth to space, layout changes, tiles.
std::span<const Block> gate_blocks();        ///< Squeeze-excite and its kin.
std::span<const Block> image_norm_blocks();  ///< Group, instance and layer norms, L2.
std::span<const Block> quantised_blocks();

// On sequences [N, T, C], C divisible by 4; they give the like.
std::span<const Block> attention_blocks();
std::span<const Block> token_blocks();  ///< MLPs, tied matrices, positions, mixing along T.
std::span<const Block> sequence_norm_blocks();
std::span<const Block> recurrent_blocks();
std::span<const Block> quantised_token_blocks();

}  // namespace coppice::test
