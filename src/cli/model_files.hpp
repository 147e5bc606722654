#pragma once
#include <cstdint>
#include <string>

#include "coppice/graph/model.hpp"

namespace coppice::cli {

/// Throws Error, which names the option, when `path` (or, with `beside`, the side file that would be written beside it)
/// is a file that `model`, read from `source`, keeps tensors in.
void spare_side_files(const std::string& option, const std::string& path, bool beside, const std::string& source,
                      const graph::Model& model);

/// Size of a written model, with its side file when tensors are in one. `constant_bytes` are those of its tensors.
std::uint64_t written_bytes(const graph::Model& model, const std::string& path, std::uint64_t constant_bytes);

}  // namespace coppice::cli
