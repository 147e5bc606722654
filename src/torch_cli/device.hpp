#pragma once
#include <string>

#include "coppice/torch/libtorch.hpp"

namespace coppice::cli {

/// The device that --device names ("": the CPU). Throws UsageError for other names, and Error where the machine or this
/// libtorch has no such device.
at::Device parse_device(const std::string& text);

/// Takes as many threads as --threads says; 0: one a core.
void use_threads(int threads);

}  // namespace coppice::cli
