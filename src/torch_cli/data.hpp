#pragma once
#include <string>
#include <vector>

#include "coppice/torch/calibration.hpp"
#include "coppice/train/recipe.hpp"

#include "cli/calibration_options.hpp"
#include "cli/train_arguments.hpp"

namespace coppice::cli {

/// What the options say, as a recipe says it.
recipe::Data data_of(const DataArguments& arguments);

/// Batches of what the options name, in an order drawn by the seed. Without a loss.
Calibration calibration_of(const CalibrationArguments& arguments, std::uint64_t seed);

/// Tells how many records were left out as damaged, if any, and of the first one.
void say_skipped(const std::vector<std::string>& skipped);

}  // namespace coppice::cli
