#pragma once
#include "coppice/pruning/prepare.hpp"

namespace coppice::verifying {

/// Whether the model declares or holds 16-bit real numbers.
bool has_half(const graph::Model& model);

/// The same computation in single precision: 16-bit real constants, declarations and casts become float32. libtorch
/// does not compute most operators in 16 bits on the CPU, and where it does, rounding would hide errors.
graph::Model widened(graph::Model model);
/// With facts of the same types; masks made from it are exact.
pruning::Prepared widened(pruning::Prepared prepared);

}  // namespace coppice::verifying
