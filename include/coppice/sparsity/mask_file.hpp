#pragma once
#include <span>
#include <string>
#include <vector>

#include "coppice/sparsity/sparsifier.hpp"

namespace coppice::sparsity {

/// Writes masks as a safetensors file: for each weight a tensor of its name, type U8, of one bit a weight (bit i % 8 of
/// byte i / 8, 1 for stays, 0 behind the last); the metadata holds "coppice" = "masks 1" and "shape of NAME" =
/// "64x3x7x7". Throws Error.
void write_masks(std::span<const LayerMask> masks, const std::string& path);

/// Reads them for Sparsifier; of each site only name, layer (the same) and shape are set. Throws Error, which begins
/// with `path`, when the file is no such file, or a mask does not have as many bits as its shape says.
std::vector<LayerMask> read_masks(const std::string& path);

}  // namespace coppice::sparsity
