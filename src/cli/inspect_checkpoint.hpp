#pragma once
#include <string>
#include <vector>

namespace coppice::cli {

/// Whether a path leads to safetensors: a file that looks or is named like one, an index of several, a folder.
bool is_checkpoint(const std::string& path);

/// Prints what a checkpoint holds, of the tensors whose names match one of the patterns (dotted beginnings, with '*'
/// and '?'); no pattern: all. Each byte is read once and given back, so that checkpoints may be larger than memory.
/// Throws Error, also where nothing matches.
void inspect_checkpoint(const std::string& path, const std::vector<std::string>& patterns, bool json);

}  // namespace coppice::cli
