#pragma once
#include "coppice/graph/model.hpp"

#include "cli/prune_arguments.hpp"

namespace coppice::cli {

/// Puts the ratios that --layer-from's sensitivities give for the target into the options, in place of the target.
/// Throws Error naming the file.
void take_layer_ratios(PruneArguments& arguments, const graph::Model& model);

}  // namespace coppice::cli
