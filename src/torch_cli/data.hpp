#pragma once
#include <string>
#include <vector>

#include "coppice/train/recipe.hpp"

#include "cli/train_arguments.hpp"

namespace coppice::cli {

/// What the options say, as a recipe says it.
recipe::Data data_of(const DataArguments& arguments);

/// Tells how many records were left out as damaged, if any, and of the first one.
void say_skipped(const std::vector<std::string>& skipped);

}  // namespace coppice::cli
