#pragma once
#include <string>

#include "coppice/torch/calibration.hpp"
#include "coppice/train/evaluate.hpp"
#include "coppice/train/recipe.hpp"

namespace coppice::recipe {

/// "cross-entropy", "mse" or "binary-cross-entropy". Throws Error, which lists the names, on any other text.
Loss make_loss(const std::string& name, double label_smoothing);
/// The first of [train], [recover] and [prune] that trains.
const Training& main_training(const Recipe& recipe);

/// "accuracy", or "top" and a number. Throws Error on any other text.
Metric make_metric(const std::string& name);

}  // namespace coppice::recipe
