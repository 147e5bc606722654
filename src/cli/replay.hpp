#pragma once
#include "cli/prune_arguments.hpp"

namespace coppice::cli {

/// Reads the plan of --plan into `options`, and how the model was looked at when it was made: its cuts make sense only
/// so. Throws Error, which names the file, for no plan and where the command line says otherwise.
void read_replay(PruneArguments& arguments);

}  // namespace coppice::cli
