#pragma once
#include "cli/sparsify_report.hpp"

namespace coppice::cli {

/// Throws UsageError for what needs a graph.
void check_checkpoint_options(const SparsifyArguments& arguments);

/// `coppice sparsify` for safetensors: tensor by tensor out of the mapped files, with memory for the largest weight. A
/// checkpoint of several files is written to a folder. Throws Error; the target is then as it was.
SparsifyOutcome sparsify_checkpoint(const SparsifyArguments& arguments);

}  // namespace coppice::cli
